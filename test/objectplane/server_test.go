package objectplane_test

import (
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-rollouts/sluice/test/configconnector"
	"github.com/sluice-rollouts/sluice/test/objectplane"
)

// entryOf is a manager's entry.
func entryOf(t *testing.T, o *unstructured.Unstructured, manager string) metav1.ManagedFieldsEntry {
	t.Helper()
	for _, e := range o.GetManagedFields() {
		if e.Manager == manager {
			return e
		}
	}
	t.Fatalf("%s manages nothing", manager)
	return metav1.ManagedFieldsEntry{}
}

func TestTheTimeOfAnEntryIsTheServersAndStaysWhereNothingChanges(t *testing.T) {
	t.Parallel()
	s, now := newServer()
	p := &play{t: t, api: s.As("").Resource(configconnector.RunServices).Namespace("shop")}
	p.apply("git", true, runService(inGit()))
	now.SetTime(noon.Add(time.Minute))
	o := p.apply("sluice/traffic", false, runService(traffic("web-1")))
	now.SetTime(noon.Add(2 * time.Minute))
	again := p.apply("sluice/traffic", false, runService(traffic("web-1")))
	if a, b := entryOf(t, o, "git"), entryOf(t, o, "sluice/traffic"); !a.Time.Time.Equal(noon) || !b.Time.Time.Equal(noon.Add(time.Minute)) {
		t.Errorf("git wrote at %s, sluice at %s", a.Time, b.Time)
	}
	if again.GetResourceVersion() != o.GetResourceVersion() || !entryOf(t, again, "sluice/traffic").Time.Time.Equal(noon.Add(time.Minute)) {
		t.Errorf("an apply that changes nothing makes %v", again.GetManagedFields())
	}
	now.SetTime(noon.Add(3 * time.Minute))
	if o = p.apply("sluice/traffic", false, runService(traffic("web-2"))); !entryOf(t, o, "sluice/traffic").Time.Time.Equal(noon.Add(3 * time.Minute)) {
		t.Errorf("another list makes %v", o.GetManagedFields())
	}
}

func TestHooksSeeACallAndTakeTheAnswersPlace(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	var calls []objectplane.Call
	lost, refused := errors.New("lost"), errors.New("refused")
	var before, after error
	s.Before = func(c objectplane.Call) error {
		calls = append(calls, c)
		return before
	}
	s.After = func(objectplane.Call, error) error { return after }
	api := s.As("sluice").Resource(configconnector.RunServices).Namespace("shop")
	apply := func(revision string) error {
		_, err := api.Apply(t.Context(), "web", runService(traffic(revision)), metav1.ApplyOptions{FieldManager: "sluice/traffic"})
		return err
	}
	after = lost
	if err := apply("web-1"); !errors.Is(err, lost) {
		t.Errorf("the answer is %v, want that it is lost", err)
	}
	before, after = refused, nil
	if err := apply("web-2"); !errors.Is(err, refused) {
		t.Errorf("the answer is %v, want the refusal", err)
	}
	key := types.NamespacedName{Namespace: "shop", Name: "web"}
	list, _, _ := unstructured.NestedSlice(s.Object(configconnector.RunServices, key).Object, "spec", "traffic")
	if entry, _ := list[0].(map[string]any); entry["revision"] != "web-1" {
		t.Errorf("spec.traffic is %v, want web-1: one was carried out, the other was not", list)
	}
	want := objectplane.Call{By: "sluice", Verb: objectplane.Apply, Resource: "runservices", Key: key}
	if len(calls) != 2 || calls[0].Object == nil {
		t.Fatalf("the calls are %+v", calls)
	}
	if calls[0].Object = nil; calls[0] != want {
		t.Errorf("the call is %+v, want %+v", calls[0], want)
	}
}

// TestAnObjectThatIsPutBackIsWhatItWas, with the version that it had; what was made later
// is gone, and no version is given out twice.
func TestAnObjectThatIsPutBackIsWhatItWas(t *testing.T) {
	t.Parallel()
	s, now := newServer()
	p := &play{t: t, api: s.As("").Resource(configconnector.RunServices).Namespace("shop")}
	then := p.apply("git", true, runService(inGit()))
	now.SetTime(noon.Add(time.Minute))
	later := p.apply("sluice/traffic", false, runService(traffic("web-1")))
	s.Restore(noon)
	if got := p.get(); got.GetResourceVersion() != then.GetResourceVersion() || len(got.GetManagedFields()) != 1 {
		t.Errorf("it is version %s of %v", got.GetResourceVersion(), got.GetManagedFields())
	}
	if again := p.apply("sluice/traffic", false, runService(traffic("web-2"))); again.GetResourceVersion() == later.GetResourceVersion() {
		t.Errorf("version %s is given out twice", later.GetResourceVersion())
	}
	s.Restore(noon.Add(-time.Second))
	if o := s.Object(configconnector.RunServices, types.NamespacedName{Namespace: "shop", Name: "web"}); o != nil {
		t.Errorf("%v is there before it was made", o)
	}
}

func TestWhatIsReadIsACopyAndWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	api := s.As("")
	p := &play{t: t, api: api.Resource(configconnector.RunServices).Namespace("shop")}
	o := p.apply("git", true, runService(inGit()))
	o.Object["spec"] = nil
	if p.get().Object["spec"] == nil {
		t.Error("a reader changed the store")
	}
	for _, of := range []schema.GroupVersionResource{configconnector.Clusters, {Group: "example.com", Version: "v1", Resource: "things"}} {
		if _, err := api.Resource(of).Get(t.Context(), configconnector.ClusterName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("%s: %v, want that it is not found", of.Resource, err)
		}
	}
	if _, err := p.api.List(t.Context(), metav1.ListOptions{}); !errors.Is(err, objectplane.ErrNotModelled) {
		t.Errorf("a list: %v", err)
	}
}
