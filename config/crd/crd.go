// Package crd carries the resource definitions in bases, for programs that check
// manifests without a cluster.
package crd

import _ "embed" // the definitions are part of the program

// CloudRunRollouts is the definition of CloudRunRollout, as YAML.
//
//go:embed bases/rollouts.sluice.dev_cloudrunrollouts.yaml
var CloudRunRollouts []byte
