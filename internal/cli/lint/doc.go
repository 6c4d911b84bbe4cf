// Package lint checks manifests without a cluster, by the resource definitions that
// this program carries: the schemas, their defaults and CEL rules, run by the same code
// as kube-apiserver. test/api holds it to a real one.
package lint
