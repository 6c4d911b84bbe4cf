// Package cli is kubectl sluice: the commands of a person on call, and of the
// pipeline that waits for a rollout.
//
// The commands are thin. What a status means is in package standing, what it
// looks like in show, where it comes from in source; none of them prints or reads
// a clock.
package cli
