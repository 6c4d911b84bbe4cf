package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RolloutFreeze keeps rollouts from rising for a time: over a sale, an audit, an
// incident. Whoever may write one decides for many teams, which is why it is
// cluster-scoped and says who wants it. It never keeps anything from going back,
// and steps that already serve go on being judged.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,categories=sluice
// +kubebuilder:printcolumn:name="Start",type=string,JSONPath=`.spec.start`
// +kubebuilder:printcolumn:name="End",type=string,JSONPath=`.spec.end`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.spec.reason`
// +kubebuilder:printcolumn:name="Namespaces",type=string,priority=1,JSONPath=`.spec.namespaces`
type RolloutFreeze struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard metadata of every object. Its name is shown to the
	// teams whose rollouts wait.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says when nothing rises, where, and why. Required.
	// +required
	Spec RolloutFreezeSpec `json:"spec,omitzero"`
}

// RolloutFreezeList is a list of RolloutFreeze.
//
// +kubebuilder:object:root=true
type RolloutFreezeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RolloutFreeze `json:"items"`
}

// RolloutFreezeSpec is when nothing rises, where, and why.
//
// +kubebuilder:validation:XValidation:rule="self.start < self.end",fieldPath=".end",message="end must be later than start"
type RolloutFreezeSpec struct {
	// start is the first moment of the freeze, with its offset from UTC, such as
	// 2026-12-24T00:00:00+09:00. Required.
	// +required
	Start metav1.Time `json:"start"`

	// end is the first moment after the freeze, written like start. Required.
	// +required
	End metav1.Time `json:"end"`

	// namespaces are those whose rollouts wait: 1 to 100 names. Absent: all of
	// them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.all(n, n.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",message="a namespace is an exact name such as shop: nothing would wait for any other; remove namespaces to freeze all"
	Namespaces []string `json:"namespaces,omitempty"`

	// reason is shown to everybody whose rollout waits: what it is for, and whom
	// to ask, in 1 to 200 characters. Required.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	Reason string `json:"reason,omitempty"`
}
