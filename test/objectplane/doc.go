// Package objectplane is a kube-apiserver in memory for objects without a Go type, as
// far as Config Connector and whoever moves the traffic of its RunServices can tell:
// resource versions, generations, the subresource status, and server-side apply with
// the managed fields of the API machinery's own code. Nothing in it runs by itself,
// waits or draws lots, so that a simulation can replay it.
//
// TestConformance holds it to the real apiserver.
//
// # Known differences
//
//   - The schemas of test/configconnector/crd say who owns which field. They refuse,
//     default and prune nothing: whoever writes must write what is valid.
//   - Nobody needs a right, and every namespace exists from the beginning to the end.
//   - Lists, watches, patches other than server-side apply, deletions, finalizers and dry
//     runs are not modelled: asking for one of them is an error.
//   - Resource versions are counted for these objects alone.
package objectplane
