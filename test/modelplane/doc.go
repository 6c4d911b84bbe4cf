// Package modelplane is a kube-apiserver in memory, as far as Sluice's controller
// can tell: one store of CloudRunRollouts with the rules of the API machinery,
// and informer views of it that lag, skip and go back when told to. Nothing in it
// runs by itself, waits or draws lots, so that a simulation can replay it.
//
// A table of operations holds it to the real apiserver (TestConformance).
//
// # Known differences
//
//   - The schema's defaults are filled in, and its limits hold for the status. The
//     limits of the spec are not checked, and neither are CEL rules: what writes
//     specs must write valid ones.
//   - Nobody needs a right, no admission webhook or quota is asked, and every
//     namespace exists from the beginning to the end.
//   - Server-side apply, managed fields, owner references, foreground and orphan
//     deletion, dry runs, selectors and pages are not modelled. Asking for one of
//     them is an error, except that managed fields are dropped silently.
//   - Other resources do not share the counter of resource versions, so that
//     versions have fewer gaps. Events are kept beside the store.
//   - An answer replaces the caller's object. A real client decodes the answer
//     into it, and leaves what the answer does not mention.
//   - Cached lists are in the order of names; those of an informer in none.
package modelplane
