// Package historic asks whether the harness finds the bugs that others had.
//
// ledger.txt lists incidents: bugs of tools that shift traffic step by step, some
// of our own, and mistakes that every controller of this kind can make. Where one
// could happen here, a file in bugs makes it happen: a [Bug] is text of the product
// and what stands there instead. It is compiled in with go build -overlay; the
// product itself has no switches for it. Then the [Detector] that the file names
// runs, and must report the invariant that the bug breaks. What does not compile,
// and what panics elsewhere, is not found.
//
// The same detectors, with the same seeds and scopes, must find nothing in the
// product as it is: see [Controls].
//
// A bug whose text is no longer found exactly once has to be renewed: the code
// moved.
package historic
