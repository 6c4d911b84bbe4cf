package controllers

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// cluster lists objects.
type cluster struct {
	client.Client
	all []v1alpha1.CloudRunRollout
}

func (c *cluster) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1alpha1.CloudRunRolloutList).Items = c.all //nolint:forcetypeassert // nothing else is listed here
	return nil
}

// moving is an object that moves a RunService of its own name, made in a minute of the
// morning.
func moving(namespace, name string, minute int) v1alpha1.CloudRunRollout {
	ro := bare()
	ro.Namespace, ro.Name, ro.UID = namespace, name, types.UID(namespace+"/"+name)
	ro.CreationTimestamp = metav1.NewTime(morning.Add(time.Duration(minute) * time.Minute))
	ro.Spec.Target = v1alpha1.Target{RunServiceRef: &v1alpha1.RunServiceReference{Name: name}}
	return *ro
}

// TestWhoMovesAServiceBefore: the oldest of those that were found to move the same service.
func TestWhoMovesAServiceBefore(t *testing.T) {
	t.Parallel()
	web := rollout.ServiceRef{Project: "acme-prod", Location: "us-central1", Name: "web"}
	found := func(ref rollout.ServiceRef) rollout.Input {
		in := rollout.Input{Service: rollout.Service{Presence: rollout.Found}}
		in.Plan.RunService, in.Plan.Service = "some", ref
		return in
	}
	denied := found(web)
	denied.Service.Presence = rollout.Denied
	written := found(web)
	written.Progress.FirstWrite = morning
	other := moving("other", "cart", 1)
	going := moving("other", "cart", 1)
	going.DeletionTimestamp = &going.CreationTimestamp
	direct := *bare()
	direct.CreationTimestamp = metav1.NewTime(morning)
	for name, c := range map[string]struct {
		older []v1alpha1.CloudRunRollout
		saw   map[string]rollout.Input // what passes on them found, by UID
		in    rollout.Input
		want  string
		early bool
	}{
		"nobody":                                      {in: found(web)},
		"one that moves another service":              {older: []v1alpha1.CloudRunRollout{other}, saw: map[string]rollout.Input{"other/cart": found(rollout.ServiceRef{Name: "cart"})}, in: found(web)},
		"one that moves the same service":             {older: []v1alpha1.CloudRunRollout{other}, saw: map[string]rollout.Input{"other/cart": found(web)}, in: found(web), want: "other/cart"},
		"the oldest of several":                       {older: []v1alpha1.CloudRunRollout{moving("b", "b", 2), other, moving("c", "c", 3)}, saw: map[string]rollout.Input{"other/cart": found(web), "b/b": found(web), "c/c": found(web)}, in: found(web), want: "other/cart"},
		"one that may not read it names it in vain":   {older: []v1alpha1.CloudRunRollout{other}, saw: map[string]rollout.Input{"other/cart": denied}, in: found(web)},
		"nor does a service that nobody reads matter": {older: []v1alpha1.CloudRunRollout{other}, saw: map[string]rollout.Input{"other/cart": denied}, in: denied},
		"one that nobody has looked at yet":           {older: []v1alpha1.CloudRunRollout{other}, in: found(web), early: true},
		"which is not waited for after a write":       {older: []v1alpha1.CloudRunRollout{other}, in: written},
		"nor where it goes":                           {older: []v1alpha1.CloudRunRollout{going}, in: found(web)},
		"one that was found counts in spite of that":  {older: []v1alpha1.CloudRunRollout{other, moving("b", "b", 2)}, saw: map[string]rollout.Input{"other/cart": found(web)}, in: found(web), want: "other/cart"},
		"the same RunService needs no look":           {older: []v1alpha1.CloudRunRollout{namesake()}, in: found(web), want: "shop/older"},
		"one that is younger":                         {older: []v1alpha1.CloudRunRollout{moving("other", "cart", 61)}, in: found(web)},
		"one that names its service itself":           {older: []v1alpha1.CloudRunRollout{direct}, in: found(web)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			me := moving("shop", "web", 60)
			r := &Reconciler{Client: &cluster{all: append(c.older, me)}}
			for i := range c.older {
				if in, ok := c.saw[string(c.older[i].UID)]; ok {
					r.memory.moves(&c.older[i], in)
				}
			}
			got, err := r.elder(t.Context(), &me, c.in)
			if early := errors.Is(err, errEarly); early != c.early || err != nil && !early {
				t.Fatalf("error %v", err)
			}
			name := ""
			if got != (rollout.Elder{}) {
				name = got.Namespace + "/" + got.Name
			}
			if name != c.want {
				t.Errorf("it is %q, want %q", name, c.want)
			}
		})
	}
}

// namesake moves the RunService web under another name.
func namesake() v1alpha1.CloudRunRollout {
	ro := moving("shop", "older", 1)
	ro.Spec.Target.RunServiceRef.Name = "web"
	return ro
}

// TestAPassThatFindsNothingIsAPassAllTheSame: who cannot be read keeps nobody waiting.
func TestAPassThatFindsNothingIsAPassAllTheSame(t *testing.T) {
	t.Parallel()
	ro := moving("other", "cart", 1)
	var m memory
	if _, tried := m.moved(&ro); tried {
		t.Error("there was a pass on it")
	}
	m.tried(&ro)
	if ref, tried := m.moved(&ro); !tried || ref != (rollout.ServiceRef{}) {
		t.Errorf("it moves %v", ref)
	}
	in := rollout.Input{Service: rollout.Service{Presence: rollout.Found}}
	in.Plan.RunService, in.Plan.Service.Name = "cart", "web"
	m.moves(&ro, in)
	m.tried(&ro)
	if ref, _ := m.moved(&ro); ref.Name != "web" {
		t.Errorf("after another pass it moves %v", ref)
	}
	m.forget(ro.UID)
	if _, tried := m.moved(&ro); tried {
		t.Error("it is remembered for ever")
	}
}

// past is the apiserver past a cache: an object, or none.
type past struct {
	cluster
	now     *v1alpha1.CloudRunRollout
	err     error
	patched int
}

func (p *past) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if p.now == nil {
		return cmp.Or(p.err, error(apierrors.NewNotFound(schema.GroupResource{}, key.Name)))
	}
	p.now.DeepCopyInto(into.(*v1alpha1.CloudRunRollout)) //nolint:forcetypeassert // nothing else is read here
	return nil
}

func (p *past) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	p.patched++
	return nil
}

// released counts how often a RunService was given up.
type released int

func (*released) Ref(context.Context) (rollout.ServiceRef, rollout.Service, error) {
	return rollout.ServiceRef{}, rollout.Service{}, nil
}

func (r *released) Release(context.Context) error {
	*r++
	return nil
}

// TestAnObjectThatIsGoneGivesNothingUp: a cache that went back shows an object that was
// let go, whose RunService is that of another one of its name by now.
func TestAnObjectThatIsGoneGivesNothingUp(t *testing.T) {
	t.Parallel()
	going := moving("shop", "web", 1)
	going.DeletionTimestamp, going.Finalizers = &going.CreationTimestamp, []string{v1alpha1.FinalizerRelease}
	again := moving("shop", "web", 2)
	again.UID = "another"
	for name, c := range map[string]struct {
		now              *v1alpha1.CloudRunRollout
		err              error
		released, patchd int
		wait             time.Duration
	}{
		"it is there":                  {now: &going, released: 1, patchd: 1, wait: afterwards},
		"it is gone":                   {wait: goneWait},
		"another one is there":         {now: &again, wait: goneWait},
		"nobody can say what is there": {err: errors.New("no answer")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, times := &past{now: c.now, err: c.err}, new(released)
			now := clocktesting.NewFakePassiveClock(going.DeletionTimestamp.Time)
			r := &Reconciler{
				Client: api, Live: api, Clock: now, Process: now, Recorder: events.NewFakeRecorder(9), Random: func() float64 { return 0.5 },
				Connect: func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) { return Cloud{RunService: times}, nil },
			}
			result, err := r.letGo(t.Context(), going.DeepCopy(), rollout.Release{})
			if int(*times) != c.released || api.patched != c.patchd || err == nil && result.RequeueAfter < c.wait || (err != nil) != (c.err != nil) {
				t.Errorf("given up %d times, patched %d times, %v, %v", *times, api.patched, result, err)
			}
		})
	}
}
