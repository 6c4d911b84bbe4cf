package modelplane

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestCanonicalIsTheWayThroughJSON compares the shortcut with the way it stands for.
func TestCanonicalIsTheWayThroughJSON(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var status v1alpha1.CloudRunRolloutStatus
		fill(random, reflect.ValueOf(&status).Elem())
		text, err := json.Marshal(status)
		if err != nil {
			t.Fatal(err)
		}
		var want v1alpha1.CloudRunRolloutStatus
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		canonical(reflect.ValueOf(&status).Elem())
		if !reflect.DeepEqual(status, want) {
			t.Fatalf("(-JSON +canonical):\n%s", cmp.Diff(want, status))
		}
	}
}

// fill sets a value to something at random, often to what JSON leaves out.
func fill(random *rand.Rand, v reflect.Value) {
	if v.Type() == timeType {
		zone := time.FixedZone("", 60*random.IntN(60))
		at := time.Unix(random.Int64N(1<<31), random.Int64N(1e9)).In(zone)
		v.Set(reflect.ValueOf([]metav1.Time{{}, {Time: at}}[random.IntN(2)]))
		return
	}
	if random.IntN(3) == 0 {
		return
	}
	switch v.Kind() { //nolint:exhaustive // the others are not in a status
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(random, field)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(random, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), random.IntN(3), 3))
		for i := range v.Len() {
			fill(random, v.Index(i))
		}
	case reflect.String:
		v.SetString([]string{"", "a", "caf\xe9\xff", "→"}[random.IntN(4)])
	case reflect.Int32, reflect.Int64:
		v.SetInt(random.Int64N(1 << 31))
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic("the status has a " + v.Kind().String() + ", which canonical does not know")
	}
}

func BenchmarkStatusUpdate(b *testing.B) {
	s := New(clocktesting.NewFakePassiveClock(time.Unix(0, 0)))
	kube, o := s.Client(), &v1alpha1.CloudRunRollout{}
	o.Namespace, o.Name = "default", "web"
	if err := kube.Create(b.Context(), o); err != nil {
		b.Fatal(err)
	}
	o.Status = usual()
	b.ReportAllocs()
	for b.Loop() {
		o.Status.ObservedGeneration++
		if err := kube.Status().Update(b.Context(), o); err != nil {
			b.Fatal(err)
		}
	}
}

// usual is a status of the usual size.
func usual() v1alpha1.CloudRunRolloutStatus {
	at := metav1.Unix(1e9, 0)
	status := v1alpha1.CloudRunRolloutStatus{
		Phase: v1alpha1.PhaseBaking, Step: "2/4", Weight: "25%", NextAction: "Looks again in a minute.",
		Stable: &v1alpha1.RevisionStatus{Revision: "web-1", Percent: 75}, Candidate: &v1alpha1.RevisionStatus{Revision: "web-2", Percent: 25},
		Attempt: &v1alpha1.Attempt{ID: 3, Reason: "Baking", Since: &at, HotSince: &at, EvidenceSince: &at, Step: 2},
	}
	for _, name := range []string{"Ready", "Reconciling", "Stalled"} {
		status.Conditions = append(status.Conditions, metav1.Condition{
			Type: name, Status: metav1.ConditionTrue, Reason: "Baking", Message: "Bakes at 25%.", LastTransitionTime: at,
		})
		status.Checks = append(status.Checks, v1alpha1.CheckStatus{
			Name: name, Mode: v1alpha1.ModeEnforce, Verdict: v1alpha1.VerdictPass, ObservedThrough: &at,
		})
	}
	for range 10 {
		status.History = append(status.History, v1alpha1.HistoryEntry{Time: at, Reason: "Baking", Message: "Bakes at 25%."})
	}
	return status
}
