// Package controllers carries facts into the core and decisions out of it.
//
// It is the only package, apart from main, that knows controller-runtime. It
// observes once, lets internal/rollout decide, saves, acts at most once and
// tells what it did. It holds no policy: thresholds, phases and precedence are
// the core's.
package controllers
