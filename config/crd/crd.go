// Package crd carries the resource definitions in bases, for programs that check
// manifests without a cluster.
package crd

import _ "embed" // the definitions are part of the program

// CloudRunRollouts is the definition of CloudRunRollout, as YAML.
//
//go:embed bases/rollouts.sluice.dev_cloudrunrollouts.yaml
var CloudRunRollouts []byte

// CloudRunAccesses is the definition of CloudRunAccess, as YAML.
//
//go:embed bases/rollouts.sluice.dev_cloudrunaccesses.yaml
var CloudRunAccesses []byte

// RolloutFreezes is the definition of RolloutFreeze, as YAML.
//
//go:embed bases/rollouts.sluice.dev_rolloutfreezes.yaml
var RolloutFreezes []byte
