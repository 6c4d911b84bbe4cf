package modelplane_test

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

const (
	ours   = v1alpha1.FinalizerRollback
	theirs = "example.com/other"
	shift  = v1alpha1.PhaseShifting
	bake   = v1alpha1.PhaseBaking
)

// table holds what Sluice relies on. The answers are in testdata/conformance.txt.
var table = []struct {
	sentence string
	play     func(*play)
}{
	{"A target alone is created with the plan", func(p *play) {
		p.create("web")
		p.get("web")
	}},
	{"A part of a plan is filled up", func(p *play) {
		p.create("web", func(o *v1alpha1.CloudRunRollout) {
			o.Spec.Strategy = v1alpha1.Strategy{
				OnDelete: v1alpha1.OnDeleteRollback, Steps: []v1alpha1.Step{{Weight: 50}, {Weight: 100, Bake: "20m"}},
			}
			o.Spec.Analysis.Checks = []v1alpha1.Check{{Name: "errors", ServerErrors: &v1alpha1.ServerErrors{}}}
		})
	}},
	{"A status is dropped at the creation", func(p *play) {
		p.create("web", phase(shift))
	}},
	{"System fields are set anew at the creation", func(p *play) {
		p.create("web", generation9, func(o *v1alpha1.CloudRunRollout) {
			o.UID, o.CreationTimestamp, o.DeletionTimestamp = "mine", metav1.Unix(1, 0), new(metav1.Unix(2, 0))
		}, finalizers(ours))
	}},
	{"A version at the creation is refused", func(p *play) {
		p.create("web", func(o *v1alpha1.CloudRunRollout) { o.ResourceVersion = "1" })
	}},
	{"A name is taken once", func(p *play) {
		p.create("web")
		p.create("web")
	}},
	{"What is not there is not found", func(p *play) {
		ghost := rollout("ghost")
		ghost.Namespace, ghost.ResourceVersion = p.space, "1"
		p.get("ghost")
		p.update(ghost.DeepCopy(), paused)
		p.status(ghost.DeepCopy(), phase(shift))
		p.patch(ghost.DeepCopy(), paused)
		p.delete(ghost.DeepCopy())
	}},
	{"A change of the spec is a new generation", func(p *play) {
		p.update(p.create("web"), paused)
	}},
	{"A change of the metadata is a new version of the same generation", func(p *play) {
		p.update(p.create("web"), annotated("a", "b"))
	}},
	{"The generation is not the caller's to set", func(p *play) {
		o := p.create("web")
		p.update(o, generation9)
		p.update(o, generation9, paused)
	}},
	{"A default that is taken away comes back, and nothing changes", func(p *play) {
		o := p.create("web")
		p.update(o)
		p.update(o, noSteps)
	}},
	{"The first update stores the default of the status, even without another change", func(p *play) {
		p.update(p.create("web"))
	}},
	{"The first status stores its default, even without another change", func(p *play) {
		p.status(p.create("web"))
	}},
	{"The first patch stores the default of the status, even without another change", func(p *play) {
		p.patch(p.create("web"))
	}},
	{"An update without a change keeps its version", func(p *play) {
		o := p.create("web")
		p.update(o)
		p.update(o)
	}},
	{"An update of the object leaves the status", func(p *play) {
		o := p.create("web")
		p.status(o, phase(shift))
		p.update(o, phase(bake), paused)
		p.update(o, noStatus, resumed)
	}},
	{"An update of the status leaves the object", func(p *play) {
		o := p.create("web")
		p.status(o, phase(shift), paused, annotated("a", "b"), finalizers(ours), generation9)
		p.get("web")
	}},
	{"An update of the status without a change keeps its version", func(p *play) {
		o := p.create("web")
		p.status(o, phase(shift))
		p.status(o)
	}},
	{"A status that was taken away begins again", func(p *play) {
		o := p.create("web")
		p.status(o, phase(shift))
		p.status(o, noStatus)
		p.get("web")
	}},
	{"A status keeps whole seconds and nothing empty", func(p *play) {
		o := p.create("web")
		p.status(o, func(o *v1alpha1.CloudRunRollout) {
			at := metav1.NewTime(time.Date(2026, 3, 2, 9, 0, 0, 999999999, time.FixedZone("", 3600)))
			o.Status = v1alpha1.CloudRunRolloutStatus{
				Conditions:  []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue, Reason: "A", LastTransitionTime: at}},
				LastRequest: &v1alpha1.RequestStatus{ID: "1", Result: v1alpha1.RequestAccepted, Time: at}, Attempt: &v1alpha1.Attempt{Since: &metav1.Time{}, HotSince: &at},
				Advice: []v1alpha1.Advice{}, NextAction: "caf\xe9 \xff\xfe",
			}
		})
		p.get("web")
	}},
	{"A status beyond the schema's limits is refused", func(p *play) {
		o := p.create("web")
		for _, wrong := range []edit{
			func(o *v1alpha1.CloudRunRollout) { o.Status.Phase = "Flying" },
			func(o *v1alpha1.CloudRunRollout) { o.Status.NextAction = strings.Repeat("a", v1alpha1.MaxNextAction+1) },
			func(o *v1alpha1.CloudRunRollout) { o.Status.LastRequest = &v1alpha1.RequestStatus{ID: "1"} },
			func(o *v1alpha1.CloudRunRollout) {
				o.Status.Stable = &v1alpha1.RevisionStatus{Revision: "a", Percent: 101}
			},
			func(o *v1alpha1.CloudRunRollout) { o.Status.Attempt = &v1alpha1.Attempt{Step: -1} },
			func(o *v1alpha1.CloudRunRollout) {
				o.Status.History = slices.Repeat([]v1alpha1.HistoryEntry{{Reason: "A", Time: o.CreationTimestamp}}, 1000)
			},
			func(o *v1alpha1.CloudRunRollout) {
				o.Status.Checks = []v1alpha1.CheckStatus{{Name: "a"}, {Name: "b"}, {Name: "a"}}
			},
			func(o *v1alpha1.CloudRunRollout) {
				o.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: "Perhaps", LastTransitionTime: metav1.Unix(1, 0)}}
			},
		} {
			p.status(o.DeepCopy(), wrong)
		}
	}},
	{"A stale update is a conflict", func(p *play) {
		o := p.create("web")
		stale := o.DeepCopy()
		p.update(o, paused)
		p.update(stale, annotated("a", "b"))
	}},
	{"A stale update without a change is a conflict", func(p *play) {
		o := p.create("web")
		stale := o.DeepCopy()
		p.update(o, paused)
		p.update(stale)
	}},
	{"A stale status is a conflict", func(p *play) {
		o := p.create("web")
		stale := o.DeepCopy()
		p.status(o, phase(shift))
		p.status(stale, phase(bake))
	}},
	{"A status of before a change of the spec is a conflict", func(p *play) {
		o := p.create("web")
		stale := o.DeepCopy()
		p.update(o, paused)
		p.status(stale, phase(shift))
	}},
	{"A status of before a change of the metadata is a conflict", func(p *play) {
		o := p.create("web")
		stale := o.DeepCopy()
		p.patch(o, annotated("a", "b"))
		p.status(stale, phase(shift))
	}},
	{"A version of the future is a conflict", func(p *play) {
		o := p.create("web")
		p.status(o, phase(shift), func(o *v1alpha1.CloudRunRollout) { o.ResourceVersion = "999999999" })
	}},
	{"An update must tell a version", func(p *play) {
		o := p.create("web")
		p.update(o.DeepCopy(), noVersion, paused)
		p.status(o.DeepCopy(), noVersion, phase(shift))
	}},
	{"A version that is no number is refused", func(p *play) {
		o := p.create("web")
		p.update(o.DeepCopy(), func(o *v1alpha1.CloudRunRollout) { o.ResourceVersion = "abc" })
	}},
	{"An update need not tell a uid", func(p *play) {
		o := p.create("web")
		p.update(o, noUID, paused)
		p.status(o, noUID, phase(shift))
	}},
	{"A finalizer is put on with the version that was read", func(p *play) {
		o := p.create("web")
		p.patchThis(o, finalizers(ours))
		p.status(o, phase(shift))
		p.patchThis(o, noFinalizers)
	}},
	{"A finalizer that is put on with a stale version is a conflict", func(p *play) {
		o := p.create("web")
		stale := o.DeepCopy()
		p.status(o, phase(shift))
		p.patchThis(stale, finalizers(ours))
	}},
	{"A patch without a version meets whatever there is", func(p *play) {
		o := p.create("web")
		stale := o.DeepCopy()
		p.update(o, annotated("a", "b"))
		p.patch(stale, annotated("c", "d"), paused)
	}},
	{"A patch of the object does not reach the status", func(p *play) {
		o := p.create("web")
		p.patch(o, phase(shift))
	}},
	{"A patch without a change keeps its version", func(p *play) {
		o := p.create("web", annotated("a", "b"))
		p.status(o, phase(shift))
		p.patch(o.DeepCopy())
		p.patchThis(o)
	}},
	{"A patch that takes an annotation away", func(p *play) {
		o := p.create("web", annotated("a", "b"), annotated("c", "d"))
		p.patch(o, func(o *v1alpha1.CloudRunRollout) { delete(o.Annotations, "a") })
		p.patch(o, func(o *v1alpha1.CloudRunRollout) { o.Annotations = nil })
	}},
	{"What nothing holds is deleted at once", func(p *play) {
		o := p.create("web")
		p.status(o, phase(shift))
		p.delete(o)
		p.get("web")
		p.delete(o)
	}},
	{"What a finalizer holds is marked", func(p *play) {
		o := p.create("web", finalizers(ours))
		p.delete(o)
		p.get("web")
	}},
	{"A second deletion changes nothing", func(p *play) {
		o := p.create("web", finalizers(ours))
		p.delete(o)
		p.delete(o)
		p.get("web")
	}},
	{"A deletion may tell which object it means", func(p *play) {
		o := p.create("web")
		old := o.ResourceVersion
		p.status(o, phase(shift))
		p.delete(o, client.Preconditions{UID: new(types.UID("another"))})
		p.delete(o, client.Preconditions{ResourceVersion: &old})
		p.delete(o, client.Preconditions{UID: &o.UID, ResourceVersion: &o.ResourceVersion})
		p.get("web")
	}},
	{"A deletion that a finalizer holds may tell which object it means", func(p *play) {
		o := p.create("web", finalizers(ours))
		old := o.ResourceVersion
		p.status(o, phase(shift))
		p.delete(o, client.Preconditions{ResourceVersion: &old})
		p.delete(o, client.Preconditions{ResourceVersion: &o.ResourceVersion})
		p.delete(o, client.Preconditions{ResourceVersion: &old})
		p.delete(o, client.Preconditions{UID: new(types.UID("another"))})
		p.get("web")
	}},
	{"A stale status after a deletion that a finalizer holds is a conflict", func(p *play) {
		o := p.create("web", finalizers(ours))
		p.delete(o)
		p.status(o, phase(shift))
		fresh := p.get("web")
		p.status(fresh, phase(shift))
	}},
	{"The spec of what is being deleted can be changed", func(p *play) {
		p.create("web", finalizers(ours))
		p.delete(rolloutIn(p.space, "web"))
		o := p.get("web")
		p.update(o, paused)
		p.update(o, func(o *v1alpha1.CloudRunRollout) { o.DeletionTimestamp, o.DeletionGracePeriodSeconds = nil, nil })
	}},
	{"What is being deleted takes no new finalizer", func(p *play) {
		p.create("web", finalizers(ours))
		p.delete(rolloutIn(p.space, "web"))
		o := p.get("web")
		p.patchThis(o.DeepCopy(), finalizers(ours, theirs))
		p.update(o.DeepCopy(), finalizers(theirs))
	}},
	{"The last finalizer lets an object go", func(p *play) {
		p.create("web", finalizers(ours, theirs))
		p.delete(rolloutIn(p.space, "web"))
		o := p.get("web")
		p.patchThis(o, finalizers(theirs))
		p.patchThis(o, noFinalizers)
		p.get("web")
	}},
	{"A finalizer of before the deletion is not taken off", func(p *play) {
		o := p.create("web", finalizers(ours))
		p.delete(o)
		p.patchThis(o, noFinalizers)
		p.get("web")
	}},
	{"A finalizer is taken off only once", func(p *play) {
		p.create("web", finalizers(ours))
		p.delete(rolloutIn(p.space, "web"))
		o := p.get("web")
		p.patchThis(o.DeepCopy(), noFinalizers)
		p.patchThis(o.DeepCopy(), noFinalizers)
	}},
	{"An update that takes the last finalizer off stores nothing else", func(p *play) {
		p.create("web", finalizers(ours))
		p.delete(rolloutIn(p.space, "web"))
		o := p.get("web")
		p.update(o, noFinalizers, paused, annotated("a", "b"))
	}},
	{"A deletion is not the caller's to mark", func(p *play) {
		o := p.create("web", finalizers(ours))
		p.update(o, func(o *v1alpha1.CloudRunRollout) { o.DeletionTimestamp = new(metav1.Unix(2000000000, 0)) })
	}},
	{"The same name again is another object", func(p *play) {
		o := p.create("web")
		p.status(o, phase(shift))
		p.delete(o)
		p.create("web")
		p.status(o.DeepCopy(), phase(bake))
		p.update(o.DeepCopy(), paused)
		p.patchThis(o.DeepCopy(), finalizers(ours))
		p.patch(o.DeepCopy(), annotated("a", "b"))
		p.delete(o.DeepCopy(), client.Preconditions{UID: &o.UID})
	}},
	{"The uid of a predecessor is a conflict even in the present version", func(p *play) {
		o := p.create("web")
		p.delete(o)
		now := p.create("web")
		now.UID = o.UID
		p.status(now.DeepCopy(), phase(shift))
		p.update(now.DeepCopy(), paused)
	}},
	{"A list is in order and shows every object as it is", func(p *play) {
		p.create("web-2")
		p.create("web-10")
		o := p.create("web")
		p.create("a", finalizers(ours))
		p.status(o, phase(shift))
		p.delete(rolloutIn(p.space, "a"))
		p.delete(rolloutIn(p.space, "web-2"))
		p.list()
	}},
	{"An empty list has a version too", func(p *play) {
		p.list()
	}},
}

// rolloutIn is what a deletion sends: a name.
func rolloutIn(space, name string) *v1alpha1.CloudRunRollout {
	return &v1alpha1.CloudRunRollout{ObjectMeta: metav1.ObjectMeta{Namespace: space, Name: name}}
}
