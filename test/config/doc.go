// Package config holds config/default to its word: rendered as kubectl renders
// it, applied to a real kube-apiserver, its pods admitted under Pod Security
// "restricted", and its service account able to do what the manager does and
// nothing else. It is a module of its own because kustomize brings much along.
package config
