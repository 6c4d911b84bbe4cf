// Package controlplane gives tests and the demo a real kube-apiserver and etcd
// without anything installed by hand.
//
// The programs are looked for in this order: the directory KUBEBUILDER_ASSETS
// names; the cache, which all clones of one user share (SLUICE_CACHE moves it);
// the index of envtest releases, when it answers within seconds; and last they
// are built from their Go modules by hack/controlplane, which takes minutes,
// once, and says so while it does.
package controlplane
