package modelplane_test

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// The calls of the table. Each changes its object as its words say, sends it and
// returns what the caller then holds.

func (p *play) create(name string, edits ...edit) *v1alpha1.CloudRunRollout {
	o := rollout(name)
	o.Namespace = p.space
	apply(o, edits)
	p.answer("create", p.kube.Create(p.t.Context(), o), o)
	return o
}

func (p *play) get(name string) *v1alpha1.CloudRunRollout {
	o := &v1alpha1.CloudRunRollout{}
	p.answer("get", p.kube.Get(p.t.Context(), types.NamespacedName{Namespace: p.space, Name: name}, o), o)
	return o
}

func (p *play) update(o *v1alpha1.CloudRunRollout, edits ...edit) {
	apply(o, edits)
	p.answer("update", p.kube.Update(p.t.Context(), o), o)
}

func (p *play) status(o *v1alpha1.CloudRunRollout, edits ...edit) {
	apply(o, edits)
	p.answer("update status", p.kube.Status().Update(p.t.Context(), o), o)
}

// patch sends a merge patch whatever the version.
func (p *play) patch(o *v1alpha1.CloudRunRollout, edits ...edit) {
	was := o.DeepCopy()
	apply(o, edits)
	p.answer("patch", p.kube.Patch(p.t.Context(), o, client.MergeFrom(was)), o)
}

// patchThis sends a merge patch to the version that the caller knows.
func (p *play) patchThis(o *v1alpha1.CloudRunRollout, edits ...edit) {
	was := o.DeepCopy()
	apply(o, edits)
	patch := client.MergeFromWithOptions(was, client.MergeFromWithOptimisticLock{})
	p.answer("patch this version", p.kube.Patch(p.t.Context(), o, patch), o)
}

func (p *play) delete(o *v1alpha1.CloudRunRollout, options ...client.DeleteOption) {
	p.answer("delete", p.kube.Delete(p.t.Context(), o, options...), nil)
}

func (p *play) list() {
	var all v1alpha1.CloudRunRolloutList
	if err := p.kube.List(p.t.Context(), &all, client.InNamespace(p.space)); err != nil {
		p.t.Fatal(err)
	}
	p.say("list of kind %q, %d objects", all.Kind, len(all.Items))
	for i := range all.Items {
		p.say("- %s", p.words(&all.Items[i]))
	}
	p.listed(all.ResourceVersion)
}

// edit changes an object before it is sent.
type edit func(*v1alpha1.CloudRunRollout)

func apply(o *v1alpha1.CloudRunRollout, edits []edit) {
	for _, e := range edits {
		e(o)
	}
}

func phase(phase v1alpha1.Phase) edit {
	return func(o *v1alpha1.CloudRunRollout) { o.Status.Phase = phase }
}

func paused(o *v1alpha1.CloudRunRollout)       { o.Spec.Paused = true }
func resumed(o *v1alpha1.CloudRunRollout)      { o.Spec.Paused = false }
func noSteps(o *v1alpha1.CloudRunRollout)      { o.Spec.Strategy.Steps = nil }
func noVersion(o *v1alpha1.CloudRunRollout)    { o.ResourceVersion = "" }
func noUID(o *v1alpha1.CloudRunRollout)        { o.UID = "" }
func noStatus(o *v1alpha1.CloudRunRollout)     { o.Status = v1alpha1.CloudRunRolloutStatus{} }
func generation9(o *v1alpha1.CloudRunRollout)  { o.Generation = 9 }
func noFinalizers(o *v1alpha1.CloudRunRollout) { o.Finalizers = nil }

func finalizers(names ...string) edit {
	return func(o *v1alpha1.CloudRunRollout) { o.Finalizers = slices.Clone(names) }
}

func annotated(key, value string) edit {
	return func(o *v1alpha1.CloudRunRollout) { metav1.SetMetaDataAnnotation(&o.ObjectMeta, key, value) }
}
