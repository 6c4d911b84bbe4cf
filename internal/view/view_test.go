package view_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

var now = time.Date(2026, time.November, 19, 10, 58, 0, 0, time.UTC)

func TestAQuantityIsANumberAndItsUnit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		number float64
		unit   string
		ok     bool
	}{
		"0.4%": {0.4, "%", true}, "60 packets/min": {60, "packets/min", true}, "0 min": {0, "min", true}, "310 ms": {310, "ms", true}, "7": {7, "", true},
		"": {}, "-": {}, "stable + 1%": {}, "3 active, 2 pending": {}, "1.2.3%": {},
	} {
		number, unit, ok := view.Quantity(text)
		if number != want.number || unit != want.unit || ok != want.ok {
			t.Errorf("%q: %v %q %v, want %v", text, number, unit, ok, want)
		}
	}
}

func TestTimesAreToldFromTheReadersPresent(t *testing.T) {
	t.Parallel()
	r := view.Reader{Now: now}
	for want, at := range map[string]time.Time{
		"10:52Z (5m4s ago)":       now.Add(-5*time.Minute - 4*time.Second),
		"11:12Z (in 14m)":         now.Add(14*time.Minute + 30*time.Second),
		"Nov 18 10:58Z (24h ago)": now.Add(-24 * time.Hour),
	} {
		if got := r.At(at); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := r.AtOr(nil, "never"); got != "never" {
		t.Errorf("got %q", got)
	}
}

// TestTheTimesOfAMessageAreToldFromTheReadersPresent: a message names no year, and is not
// changed where it names no time.
func TestTheTimesOfAMessageAreToldFromTheReadersPresent(t *testing.T) {
	t.Parallel()
	newYear := time.Date(2027, time.January, 1, 0, 2, 0, 0, time.UTC)
	for _, c := range []struct {
		now           time.Time
		message, want string
	}{
		{now, "Needs 10 more healthy minutes, until Nov 19 11:12Z at the earliest.", "Needs 10 more healthy minutes, until 11:12Z (in 14m) at the earliest."},
		{now, "data to Nov 19 10:55Z, noticed Nov 19 10:58Z", "data to 10:55Z (3m ago), noticed 10:58Z (0s ago)"},
		{now, "opens Nov 23 06:00Z; pauses at Nov 9 10:58Z.", "opens Nov 23 06:00Z (in 3d19h); pauses at Nov 9 10:58Z (10d ago)."},
		{newYear, "since Dec 31 23:58Z, until Jan 1 00:05Z", "since Dec 31 23:58Z (4m ago), until 00:05Z (in 3m)"},
		{newYear.Add(-time.Hour), "until Jan 1 00:05Z", "until Jan 1 00:05Z (in 63m)"},
		{now, "Waits for a new revision.", "Waits for a new revision."},
		{now, "Nov 31 10:58Z, Nov 19 24:00Z, Nov 19 10:58, 10:58Z, XNov 19 10:58Z", "Nov 31 10:58Z, Nov 19 24:00Z, Nov 19 10:58, 10:58Z, XNov 19 10:58Z"},
		{now, "", ""},
	} {
		if got := (view.Reader{Now: c.now}).Told(c.message); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestAWayIsThatOfTheNewestCandidate: what another candidate did before is not it.
func TestAWayIsThatOfTheNewestCandidate(t *testing.T) {
	t.Parallel()
	ro := &v1alpha1.CloudRunRollout{}
	at := func(minute int, revision, weight string) {
		ro.Status.History = append(ro.Status.History, v1alpha1.HistoryEntry{
			Time: metav1.NewTime(now.Add(time.Duration(minute) * time.Minute)), Revision: revision, Weight: weight,
		})
	}
	at(0, "web-1", "0%")
	at(1, "web-1", "5%")
	at(2, "web-2", "0%")
	at(3, "web-2", "")
	at(4, "web-2", "25%")
	at(5, "web-2", "25%")
	at(6, "web-2", "0%")
	if got := view.Way(ro); len(got) != 0 {
		t.Errorf("without a candidate there is a way: %v", got)
	}
	ro.Status.Candidate = &v1alpha1.RevisionStatus{Revision: "web-2"}
	way := view.Way(ro)
	if len(way) != 2 || way[0].String() != "0% > 25%" || way[1].String() != "25% > 0%" || !way[1].At.Equal(now.Add(6*time.Minute)) {
		t.Errorf("got %v", way)
	}
}

func TestASpecThatNobodyHasSeenIsDoubted(t *testing.T) {
	t.Parallel()
	ro := &v1alpha1.CloudRunRollout{}
	ro.Generation, ro.Status.ObservedGeneration, ro.Status.Phase = 3, 2, v1alpha1.PhaseBaking
	gone := metav1.NewTime(now.Add(-time.Minute))
	ro.DeletionTimestamp = &gone
	doubts := view.Reader{Now: now}.Doubts(ro)
	if len(doubts) != 2 || doubts[1] != "deleted 10:57Z (60s ago); it goes when traffic is released." {
		t.Errorf("got %q", doubts)
	}
}

// TestARunServiceIsNamedWhereTheServiceIsNotKnown, and set by hand where Config
// Connector looks.
func TestARunServiceIsNamedWhereTheServiceIsNotKnown(t *testing.T) {
	t.Parallel()
	ro := &v1alpha1.CloudRunRollout{}
	ro.Namespace, ro.Name = "shop", "cart"
	ro.Spec.Target.RunServiceRef = &v1alpha1.RunServiceReference{Name: "cart"}
	ro.Status.Stable = &v1alpha1.RevisionStatus{Revision: "cart-1"}
	if got := view.About(ro); got != "RunService cart" {
		t.Errorf("about %q", got)
	}
	if line := view.Gcloud(ro); !strings.HasPrefix(line, "kubectl -n shop patch runservice cart ") || !strings.Contains(line, `"revision":"cart-1","percent":100`) {
		t.Errorf("by hand: %s", line)
	}
	if got := (view.Reader{}).Summarize(ro).Service; got != "cart" {
		t.Errorf("the list shows %q", got)
	}
	if links := (view.Reader{}).Links(ro, view.Console); links != nil {
		t.Errorf("links %v to a service that is not known", links)
	}
	ro.Spec.Target = v1alpha1.Target{Service: &v1alpha1.ServiceReference{Project: "acme", Location: "europe-west1", Name: "web"}}
	if got := view.About(ro); got != "service web (acme, europe-west1)" {
		t.Errorf("about %q", got)
	}
}
