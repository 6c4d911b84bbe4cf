package cli

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/show"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// confined lets one namespace be listed.
type confined struct {
	source.Source
	namespace string
	asked     int
}

func (c *confined) List(_ context.Context, namespace string) ([]v1alpha1.CloudRunRollout, error) {
	c.asked++
	if namespace != c.namespace {
		return nil, errors.New("forbidden")
	}
	ro := v1alpha1.CloudRunRollout{}
	ro.Namespace = namespace
	return []v1alpha1.CloudRunRollout{ro}, nil
}

// unwatched gives one rollout that stays as it is, while an hour passes.
type unwatched struct {
	source.Source
	clock *clocktesting.FakeClock
}

func (u unwatched) Follow(context.Context, source.Name) iter.Seq2[*v1alpha1.CloudRunRollout, error] {
	ro := &v1alpha1.CloudRunRollout{}
	ro.Name, ro.Status.Phase = "web", v1alpha1.PhaseBaking
	ro.Status.Candidate = &v1alpha1.RevisionStatus{Revision: "web-2", Percent: 25}
	through := metav1.NewTime(u.clock.Now())
	ro.Status.Checks = []v1alpha1.CheckStatus{{ObservedThrough: &through}}
	return func(yield func(*v1alpha1.CloudRunRollout, error) bool) {
		for range 12 {
			if !yield(ro, nil) {
				return
			}
			u.clock.Step(5 * time.Minute)
		}
	}
}

// TestWhoWaitsHearsThatNobodyWatches, once, and goes on waiting.
func TestWhoWaitsHearsThatNobodyWatches(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakeClock(time.Date(2026, 11, 26, 3, 7, 0, 0, time.UTC))
	var out, said bytes.Buffer
	a := &app{Env: Env{Out: &out, Err: &said, Clock: clock}}
	if err := a.await(t.Context(), unwatched{clock: clock}, source.Name{Name: "web"}, &standing.Wait{}, many); codeOf(err) != ExitTimeout {
		t.Errorf("it ends with %v", err)
	}
	const doubt = "Note: STALE: nothing was judged since 03:07Z (15m ago)"
	if text := said.String(); !strings.HasPrefix(text, doubt) || strings.Count(text, "STALE") != 1 {
		t.Errorf("on standard error:\n%s", text)
	}
	if lines := strings.Split(out.String(), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "03:07Z  > ") || !strings.HasPrefix(lines[1], "03:22Z  ! ") {
		t.Errorf("on standard output:\n%s", out.String())
	}
}

// TestAFileSaysNothingOfWhatItDoesNotHave: a rollout of which nobody wrote anything down
// may be under way.
func TestAFileSaysNothingOfWhatItDoesNotHave(t *testing.T) {
	t.Parallel()
	ro := v1alpha1.CloudRunRollout{}
	ro.Name, ro.Status.Gateways = "web", []v1alpha1.GatewayStatus{{Name: "nat-1"}}
	busy := *ro.DeepCopy()
	busy.Name = "api"
	for name, c := range map[string]struct {
		file source.File
		want string
	}{
		"alone":     {source.File{ro}, "  not known: only the file was read\n"},
		"with more": {source.File{ro, busy}, "  (of others nothing is known: only the file was read)\n"},
	} {
		text := show.Why(&ro, around(t.Context(), c.file, &ro), "", show.Screen{})
		if !strings.Contains(text, c.want) || strings.Contains(text, "no other rollout") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

// TestWhoMayListOneNamespaceIsToldSo: nothing is said of rollouts that could not be
// looked for, and without a gateway nobody is looked for at all.
func TestWhoMayListOneNamespaceIsToldSo(t *testing.T) {
	t.Parallel()
	ro := &v1alpha1.CloudRunRollout{}
	ro.Namespace = "pay"
	src := &confined{namespace: "pay"}
	if got := around(t.Context(), src, ro); src.asked != 0 || got.Namespace != "" {
		t.Errorf("without a gateway %d lists were asked for: %+v", src.asked, got)
	}
	ro.Status.Gateways = []v1alpha1.GatewayStatus{{Name: "nat-1"}}
	if got := around(t.Context(), src, ro); got.Namespace != "pay" || len(got.Others) != 1 {
		t.Errorf("of one namespace: %+v", got)
	}
	src.namespace = "shop"
	if got := around(t.Context(), src, ro); got.Namespace != "" || len(got.Others) != 0 || got.Unknown != "they could not be listed" {
		t.Errorf("of none: %+v", got)
	}
	src.namespace = ""
	if got := around(t.Context(), src, ro); got.Namespace != "" || len(got.Others) != 1 || got.Unknown != "" {
		t.Errorf("of all: %+v", got)
	}
}
