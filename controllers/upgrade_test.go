package controllers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// statuses holds what each version left behind, by version; version is the one that
// -update writes. The files of a version that was released are never written anew.
const (
	statuses = "testdata/statuses"
	version  = "v0.1"
)

// legacy is an object as a version left it, and the world in which it did.
type legacy struct {
	Now     time.Time                      `json:"now"`
	Cluster string                         `json:"cluster,omitempty"`
	Spec    v1alpha1.CloudRunRolloutSpec   `json:"spec"`
	Status  v1alpha1.CloudRunRolloutStatus `json:"status"`

	Service   rollout.Service             `json:"service"`
	Revisions map[string]rollout.Revision `json:"revisions"`
	Outlet    *rollout.Outlet             `json:"outlet,omitempty"`
	Egress    rollout.Egress              `json:"egress,omitempty"`
	Errors    map[string]int64            `json:"errors,omitempty"`
	Requests  int64                       `json:"requests,omitempty"`
	Silent    bool                        `json:"silent,omitempty"`
	Stuck     bool                        `json:"stuck,omitempty"`
	Torn      time.Time                   `json:"torn,omitzero"`
}

// keep writes down where a rollout stands.
func (s *stage) keep(state string) {
	s.t.Helper()
	ro, c := s.get(), s.cloud
	k := legacy{
		Now: s.clock.Now(), Cluster: s.r.Cluster, Spec: ro.Spec, Status: ro.Status,
		Service: c.service, Revisions: c.revisions, Egress: c.egress, Errors: c.errors,
		Requests: c.requests, Silent: c.silent, Stuck: c.stuck, Torn: c.torn,
	}
	if s.outlets != nil {
		k.Outlet = &s.outlets.found
	}
	text, err := json.MarshalIndent(k, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Join(statuses, version), 0o750)
	}
	if err == nil {
		name := strings.ReplaceAll(state, "/", "-") + ".json"
		err = os.WriteFile(filepath.Join(statuses, version, name), append(text, '\n'), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// restore puts a stage where a rollout stood.
func (s *stage) restore(k legacy) {
	s.t.Helper()
	s.clock.SetTime(k.Now)
	s.cloud.set(func() {
		c := s.cloud
		c.service, c.revisions, c.egress, c.errors = k.Service, k.Revisions, k.Egress, k.Errors
		c.requests, c.silent, c.stuck, c.torn = k.Requests, k.Silent, k.Stuck, k.Torn
	})
	s.restart()
	s.r.Cluster = k.Cluster
	if k.Outlet != nil {
		s.through(&fakeOutlets{found: *k.Outlet})
	}
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec = k.Spec })
	ro := s.get()
	if ro.Generation != k.Status.ObservedGeneration {
		s.t.Fatalf("generation %d, and the status has seen %d", ro.Generation, k.Status.ObservedGeneration)
	}
	ro.Status = k.Status
	if err := s.client.Status().Update(s.t.Context(), ro); err != nil {
		s.t.Fatal(err)
	}
}

// afterUpgrade plays with what every version left behind, in every state.
func afterUpgrade(t *testing.T, play func(t *testing.T, k legacy)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(statuses, "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			var k legacy
			text, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(text, &k)
			}
			if err != nil {
				t.Fatal(err)
			}
			play(t, k)
		})
	}
}

// TestNoUpgradeStartsAnything takes up what every version left behind in every state:
// nothing is written to the service, no status is sent, no event is told.
func TestNoUpgradeStartsAnything(t *testing.T) {
	t.Parallel()
	afterUpgrade(t, func(t *testing.T, k legacy) {
		t.Helper()
		s, saved := newStage(t), 0
		s.restore(k)
		s.r.Client = slow{s.client, func() { saved++ }}
		want := s.get()
		s.pass()
		s.pass()
		s.still(want, 0)
		if saved > 0 {
			t.Errorf("%d statuses were sent", saved)
		}
	})
}
