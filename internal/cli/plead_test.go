package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/request"
)

// TestNothingTakesThePlaceOfAnUnansweredAbort but another abort, and whoever says so.
func TestNothingTakesThePlaceOfAnUnansweredAbort(t *testing.T) {
	t.Parallel()
	carrying := func(verb string) *v1alpha1.CloudRunRollout {
		ro := &v1alpha1.CloudRunRollout{}
		ro.Annotations = request.Ask{ID: "1", Verb: verb, By: "ana@example.com"}.Annotations(ro)
		return ro
	}
	answered := carrying(v1alpha1.VerbAbort)
	answered.Status.LastRequest = &v1alpha1.RequestStatus{ID: "1"}
	for name, c := range map[string]struct {
		seen    *v1alpha1.CloudRunRollout
		asks    plea
		refused bool
	}{
		"over nothing":                    {&v1alpha1.CloudRunRollout{}, plea{verb: v1alpha1.VerbPause}, false},
		"over an abort":                   {carrying(v1alpha1.VerbAbort), plea{verb: v1alpha1.VerbPause}, true},
		"over an abort, knowing it":       {carrying(v1alpha1.VerbAbort), plea{verb: v1alpha1.VerbPause, replace: true}, false},
		"an abort over an abort":          {carrying(v1alpha1.VerbAbort), plea{verb: v1alpha1.VerbAbort}, false},
		"an abort over a promote":         {carrying(v1alpha1.VerbPromote), plea{verb: v1alpha1.VerbAbort}, false},
		"a resume over a pause":           {carrying(v1alpha1.VerbPause), plea{verb: v1alpha1.VerbResume}, false},
		"over an abort that was answered": {answered, plea{verb: v1alpha1.VerbPause}, false},
	} {
		err := c.asks.over(c.seen)
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "ana@example.com") {
			t.Errorf("%s: nobody is named: %v", name, err)
		}
	}
}

// against is a run against an API server that a test plays.
func against(t *testing.T, server http.HandlerFunc, reach time.Duration) (*app, *bytes.Buffer) {
	t.Helper()
	api := httptest.NewServer(server)
	t.Cleanup(api.Close)
	t.Cleanup(api.CloseClientConnections) // before it waits for the calls that hang
	none, namespace, out := filepath.Join(t.TempDir(), "kubeconfig"), "pay", &bytes.Buffer{}
	if err := os.WriteFile(none, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.APIServer, flags.Namespace = &none, &api.URL, &namespace
	return &app{Env: Env{Out: out, Clock: clock.RealClock{}}, flags: flags, reach: reach, introduced: reach}, out
}

// hangs accepts a call and never answers it. Only a call that was read to its end is
// noticed to be given up.
func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// TestAVerbEndsWhereTheAPIServerNeverAnswers: it accepts the call, and says nothing.
func TestAVerbEndsWhereTheAPIServerNeverAnswers(t *testing.T) {
	t.Parallel()
	a, out := against(t, hangs, 50*time.Millisecond)
	err := a.plead(t.Context(), "api", plea{verb: v1alpha1.VerbAbort})
	if code := codeOf(err); code != ExitTimeout {
		t.Errorf("it exits with %d: %v", code, err)
	}
	if err == nil || !strings.Contains(err.Error(), "the API server has not answered within 50ms, and nothing was asked for") {
		t.Errorf("it says %v", err)
	}
	if out.Len() > 0 {
		t.Errorf("it prints %s", out)
	}
}

// serving is a rollout with all traffic at stable.
func serving() *v1alpha1.CloudRunRollout {
	ro := &v1alpha1.CloudRunRollout{}
	ro.APIVersion, ro.Kind, ro.Namespace, ro.Name = v1alpha1.GroupVersion.String(), "CloudRunRollout", "pay", "api"
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: "acme-prod", Location: "us-central1", Name: "api"}
	ro.Status.Stable = &v1alpha1.RevisionStatus{Revision: "api-00041"}
	return ro
}

// gives answers with a rollout.
func gives(w http.ResponseWriter, ro *v1alpha1.CloudRunRollout) {
	text, err := json.Marshal(ro)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

// TestAVerbIsAskedForWithoutANameWhereTheAPIServerFallsSilentOverIt: most of the time
// is the request's own, and whoever is refused for want of a name knows why there is
// none.
func TestAVerbIsAskedForWithoutANameWhereTheAPIServerFallsSilentOverIt(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	a, out := against(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPost:
			hangs(w, r)
		case http.MethodPatch:
			asked <- struct{}{}
			gives(w, serving())
		default:
			gives(w, serving())
		}
	}, time.Hour)
	a.introduced = 50 * time.Millisecond
	if err := a.plead(t.Context(), "api", plea{verb: v1alpha1.VerbAbort, noWait: true}); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 {
		t.Error("nothing was asked for")
	}
	const want = "It is not known who asks: the API server has not said so within 50ms. The request goes without a name"
	if !strings.Contains(out.String(), want) {
		t.Errorf("%q is not in\n%s", want, out)
	}
}

// overdue is a context whose deadline passes when a test says so.
type overdue struct {
	context.Context //nolint:containedctx // it is a context
	passed          chan struct{}
}

// Done implements context.Context.
func (o overdue) Done() <-chan struct{} { return o.passed }

// Err implements context.Context.
func (o overdue) Err() error {
	select {
	case <-o.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// TestAVerbThatMayHaveArrivedSaysSo: the API server falls silent over the request
// itself. Nobody knows then whether it took it, and the traffic can go back without it.
func TestAVerbThatMayHaveArrivedSaysSo(t *testing.T) {
	t.Parallel()
	ro := serving()
	limit := overdue{t.Context(), make(chan struct{})}
	a, out := against(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			gives(w, ro)
		case http.MethodPatch:
			close(limit.passed)
			hangs(w, r)
		default: // who asks is not known
			http.Error(w, "forbidden", http.StatusForbidden)
		}
	}, time.Hour)
	err := a.plead(limit, "api", plea{verb: v1alpha1.VerbAbort})
	if code := codeOf(err); code != ExitTimeout {
		t.Errorf("it exits with %d: %v", code, err)
	}
	for _, want := range []string{
		"The API server does not answer: it is not known whether it took the request.",
		"gcloud run services update-traffic api --project acme-prod --region us-central1 --to-revisions api-00041=100",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// TestAnAbortIsAskedForThoughNobodyCanReadOfIt: it is told once, and nothing waits for a
// disk with room.
func TestAnAbortIsAskedForThoughNobodyCanReadOfIt(t *testing.T) {
	t.Parallel()
	for _, why := range []error{syscall.ENOSPC, syscall.EPIPE} {
		asked := make(chan struct{}, 1)
		a, _ := against(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch {
				asked <- struct{}{}
			}
			gives(w, serving())
		}, time.Hour)
		var told bytes.Buffer
		a.Out, a.Err = unwritable{why}, &told
		if err := a.plead(t.Context(), "api", plea{verb: v1alpha1.VerbAbort, noWait: true}); err != nil || len(asked) != 1 {
			t.Errorf("%v: %d aborts are asked for: %v", why, len(asked), err)
		}
		if got := strings.Count(told.String(), "cannot be written"); got > 1 || (got == 1) != errors.Is(why, syscall.ENOSPC) {
			t.Errorf("%v: on standard error:\n%s", why, told.String())
		}
	}
}

// unwritable is where nothing can be written.
type unwritable struct{ why error }

func (u unwritable) Write([]byte) (int, error) { return 0, u.why }
