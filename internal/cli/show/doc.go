// Package show writes rollouts as text for a terminal. It is pure: from objects
// and the reader's time to a string.
//
// Times are in UTC with a Z. Beside each stands how long ago it is, or how long
// until then, because only the reader knows the present. Nothing depends on colour
// alone: what is painted also says it in words.
package show
