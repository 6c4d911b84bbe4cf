// Package v1alpha1 holds the resources of rollouts.sluice.dev as plain data:
// types, the rules that kube-apiserver enforces on them, condition types,
// reasons and the annotations that carry a person's requests. It has no logic.
//
// The comments on the fields are the manual: `kubectl explain crr.spec` shows
// them. Each begins with the field's JSON name and says unit, limit, default
// and what happens when the field is absent. Numbers in them are enforced by
// the resource definition; a test in test/api walks every rule.
//
// Two defaults cannot be filled in by kube-apiserver, because they depend on
// other fields: what a check inherits from the built-in one of its name, and
// onBreach, which depends on the kind of check. The comments on Check say what
// they are.
//
// +kubebuilder:object:generate=true
// +groupName=rollouts.sluice.dev
package v1alpha1
