// Package view says in words what an object tells a person: what is and since
// when, the cause with its number and limit, what happens next and when, what the
// person can do, and where to look further. The command line and the page both say
// it with these words, so that they cannot disagree; how it is laid out is theirs.
//
// It is pure. Times are in UTC with a Z; beside each stands how long ago it is, or
// how long until then, because only the reader knows the present.
package view
