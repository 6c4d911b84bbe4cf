package cloudrun

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

var tenSharp = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// town answers lists, services and revisions.
func town(services ...string) script {
	list := answering(http.StatusOK, `{"services": [`+strings.Join(services, ",")+`]}`)
	return func(req *http.Request) outcome {
		switch {
		case strings.HasSuffix(req.URL.Path, "/services"):
			return list(req)
		case strings.Contains(req.URL.Path, "/revisions/"):
			return outcome{code: http.StatusOK, body: revisionJSON}
		}
		return outcome{code: http.StatusOK, body: serviceJSON}
	}
}

func TestAListShowsWhatAReadShows(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, town(serviceJSON))
	listed, ok, unasked := NewWatch(client, func(error) {}).Listed(t.Context(), web, tenSharp, time.Minute)
	read, err := client.Service(t.Context(), web)
	if !ok || unasked != nil || err != nil {
		t.Fatalf("listed %v with error %v, read with error %v", ok, unasked, err)
	}
	if diff := cmp.Diff(read, listed); diff != "" {
		t.Errorf("service (-read +listed):\n%s", diff)
	}
}

func TestOneListServesAllServicesOfAPlaceForAWhile(t *testing.T) {
	t.Parallel()
	client, below := dial(t, town(serviceJSON, strings.ReplaceAll(serviceJSON, "services/web", "services/api")))
	w := NewWatch(client, func(error) {})
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			ref := web
			if i%2 == 1 {
				ref.Name = "api"
			}
			if _, ok, err := w.Listed(t.Context(), ref, tenSharp.Add(time.Duration(i%15)*time.Second), 15*time.Second); !ok || err != nil {
				t.Errorf("%s is not listed", ref.Name)
			}
		})
	}
	all.Wait()
	if n := len(below.requests); n != 1 {
		t.Errorf("%d calls for a hundred looks within fifteen seconds, want 1", n)
	}
	before := len(below.requests)
	for range 50 {
		w.Listed(t.Context(), web, tenSharp.Add(time.Minute), 15*time.Second)
	}
	if n := len(below.requests) - before; n != 1 {
		t.Errorf("%d calls for fifty looks at one time, want 1", n)
	}
}

func TestWhatAListDoesNotShowIsReadLive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers script
		ref     rollout.ServiceRef
	}{
		"a service that is not there":         {town(), web},
		"a service that cannot be understood": {town(strings.ReplaceAll(serviceJSON, `"7"`, `"many"`)), web},
		"a list that may not be read":         {failing(http.StatusForbidden, "PERMISSION_DENIED", "no"), web},
		"a list without end":                  {answering(http.StatusOK, `{"nextPageToken": "again"}`), web},
		"a name that is none":                 {town(serviceJSON), rollout.ServiceRef{Project: "shop", Location: "europe-west1", Name: "../web"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := dial(t, c.answers)
			if s, ok, err := NewWatch(client, func(error) {}).Listed(t.Context(), c.ref, tenSharp, time.Minute); ok || err != nil {
				t.Errorf("listed as %+v", s)
			}
		})
	}
}

func TestAListThatFailsIsLeftAloneForAMinute(t *testing.T) {
	t.Parallel()
	client, below := dial(t, failing(http.StatusForbidden, "PERMISSION_DENIED", "no"))
	var reports []string
	w := NewWatch(client, func(err error) { reports = append(reports, err.Error()) })
	for _, after := range []time.Duration{0, 5 * time.Second, 59 * time.Second, time.Minute, 61 * time.Second} {
		w.Listed(t.Context(), web, tenSharp.Add(after), time.Second)
	}
	if n := len(below.requests); n != 2 {
		t.Errorf("%d calls in a minute and a second, want 2", n)
	}
	if len(reports) != 2 || !strings.Contains(reports[0], `listing the services of "shop" in "europe-west1"`) {
		t.Errorf("reported %q, want each failed list", reports)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	w.Listed(ended, web, tenSharp.Add(3*time.Minute), time.Second)
	before := len(below.requests)
	w.Listed(t.Context(), web, tenSharp.Add(3*time.Minute), time.Second)
	if len(below.requests) == before {
		t.Error("somebody's end keeps the others from asking")
	}
}

func TestAllPagesOfAListAreRead(t *testing.T) {
	t.Parallel()
	client, below := dial(t, func(req *http.Request) outcome {
		switch req.URL.Query().Get("pageToken") {
		case "":
			return outcome{code: http.StatusOK, body: fmt.Sprintf(`{"services": [%s], "nextPageToken": "2"}`, strings.ReplaceAll(serviceJSON, "services/web", "services/api"))}
		default:
			return outcome{code: http.StatusOK, body: fmt.Sprintf(`{"services": [%s]}`, serviceJSON)}
		}
	})
	if _, ok, err := NewWatch(client, func(error) {}).Listed(t.Context(), web, tenSharp, time.Minute); !ok || err != nil {
		t.Error("the second page is not read")
	}
	if want := "GET /v2/projects/shop/locations/europe-west1/services?"; !strings.HasPrefix(below.requests[0], want) {
		t.Errorf("asks %s, want %s", below.requests[0], want)
	}
}

func TestRevisionsAreRememberedForAWhile(t *testing.T) {
	t.Parallel()
	broken := false
	client, below := dial(t, func(req *http.Request) outcome {
		if broken {
			return outcome{code: http.StatusServiceUnavailable}
		}
		return town()(req)
	})
	w := NewWatch(client, func(error) {})
	look := func(after, maxAge time.Duration) rollout.Revision {
		t.Helper()
		got, err := w.Remembered(t.Context(), web, []string{"web-2"}, tenSharp.Add(after), maxAge)
		if err != nil {
			t.Fatal(err)
		}
		return got["web-2"]
	}
	if r := look(0, time.Minute); r.Presence != rollout.Found {
		t.Fatalf("got %+v", r)
	}
	look(59*time.Second, time.Minute)
	if n := len(below.requests); n != 1 {
		t.Errorf("%d reads within a minute, want 1", n)
	}
	broken = true
	if r := look(time.Minute, time.Minute); r.Presence != rollout.Unknown {
		t.Errorf("what is too old is read again, got %+v", r)
	}
	broken = false
	if r := look(time.Minute, time.Minute); r.Presence != rollout.Found {
		t.Errorf("what could not be read is not remembered, got %+v", r)
	}
	look(48*time.Hour, time.Minute)
	if n := len(w.revisions); n != 1 {
		t.Errorf("%d revisions are kept, want the newest reading alone", n)
	}
}

// TestARevisionThatIsNotReadyIsReadEachTime: a rollout waits for it, or for
// somebody to mend it.
func TestARevisionThatIsNotReadyIsReadEachTime(t *testing.T) {
	t.Parallel()
	state := "CONDITION_PENDING"
	client, _ := dial(t, func(*http.Request) outcome {
		return outcome{code: http.StatusOK, body: strings.ReplaceAll(revisionJSON, `"Ready", "state": "CONDITION_SUCCEEDED"`, `"Ready", "state": "`+state+`"`)}
	})
	w := NewWatch(client, func(error) {})
	for _, state = range []string{"CONDITION_PENDING", "CONDITION_FAILED", "CONDITION_SUCCEEDED"} {
		got, err := w.Remembered(t.Context(), web, []string{"web-2"}, tenSharp, time.Hour)
		want := map[string]rollout.Readiness{
			"CONDITION_PENDING": rollout.Pending, "CONDITION_FAILED": rollout.NotReady, "CONDITION_SUCCEEDED": rollout.Ready,
		}[state]
		if err != nil || got["web-2"].Readiness != want {
			t.Errorf("%s: got %s, %v, want %s", state, got["web-2"].Readiness, err, want)
		}
	}
}
