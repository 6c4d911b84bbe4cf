// Package lint checks manifests without a cluster, by the resource definition that
// this program carries: the schema, its defaults and its CEL rules, run by the same
// code as kube-apiserver. test/api holds it to a real one.
package lint
