package controllers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// damaged are statuses that no version wrote, each a promise that nothing vouches for.
var damaged = []string{
	`{}`,
	`{"phase":"Dreaming","attempt":{"reason":"Odd","id":-1,"step":-7,"bakedMinutes":2147483647}}`,
	`{"phase":"Baking","attempt":{"id":1,"candidate":"web-2","step":4,"bakedMinutes":1000,"approvedWeight":100,"approvedThin":3,` +
		`"baseline":{"revision":"web-1"},"confirmed":[{"revision":"web-2","percent":25},{"revision":"web-1","percent":75}],` +
		`"firstWrite":"2026-01-04T09:00:00Z","effectiveSince":"2026-01-04T09:00:00Z","judgedThrough":"2026-01-05T08:59:00Z"}}`,
	`{"phase":"Shifting","attempt":{"id":1,"candidate":"web-2","baseline":{"revision":"web-1"},"seq":9,` +
		`"intents":[{"split":[{"revision":"web-2","percent":100}],"baseEtag":"e","baseGeneration":7,"seq":9,"savedAt":"2026-01-05T08:00:00Z"}]}}`,
	`{"phase":"Completed","attempt":{"id":1,"candidate":"web-2","baseline":{"revision":"web-2"}}}`,
	`{"phase":"RollingBack","attempt":{"id":1,"candidate":"web-2","baseline":{"revision":"web-1"},"latched":["web-2","web-1",""],` +
		`"retreat":{"began":"2026-01-05T08:59:00Z","last":null,"sent":1,"weight":-5},"confirmed":[{"revision":"others:9:x","percent":25}]}}`,
	`{"phase":"Held","attempt":{"candidate":"web-2","baseline":{"revision":"web-1"},"confirmed":[{"revision":"web-2","percent":25},{"revision":"web-1","percent":75}],` +
		`"trial":{"at":"2026-01-05T08:00:00Z","from":25,"to":5,"role":"Culprit"},"rises":[{"at":"2026-01-05T08:00:00Z","from":5}]},` +
		`"checks":[{"name":"errors","breachedSince":"1970-01-01T00:00:00.5Z"}],"gateways":[{"name":"nat-1"}],"lastRequest":{"id":"r1","verb":"abort"}}`,
}

// FuzzStatuses takes up a rollout from any status, in a world that is well and of
// which nothing is measured: a decision comes of it whatever it says, it moves
// traffic nowhere but back to the baseline, and what is saved of it is read as it
// was written. The objects of every phase begin it, what each released version left
// behind in every state, and damaged ones.
func FuzzStatuses(f *testing.F) {
	for _, status := range slices.Concat(goldenStatuses(f), releasedStatuses(f), damaged) {
		for at := range worlds {
			f.Add(status, uint8(at))
		}
	}
	f.Fuzz(func(t *testing.T, text string, at uint8) {
		ro := bare()
		if json.Unmarshal([]byte(text), &ro.Status) != nil {
			return
		}
		in := worlds[int(at)%len(worlds)]()
		in.Progress = restart(t, progressOf(ro))
		if diff := cmp.Diff(in.Progress, restart(t, in.Progress), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("saved and read again (-want +got):\n%s", diff)
		}
		for range 5 {
			in = live(t, in)
		}
	})
}

// goldenStatuses are the statuses of test/kstatus, in which every phase occurs.
func goldenStatuses(f *testing.F) []string {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(golden, "*.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden objects: %v", err)
	}
	var texts []string
	for _, file := range files {
		var ro v1alpha1.CloudRunRollout
		raw, err := os.ReadFile(file)
		if err == nil {
			err = yaml.Unmarshal(raw, &ro)
		}
		text, bad := json.Marshal(ro.Status)
		if err != nil || bad != nil {
			f.Fatal(file, err, bad)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// releasedStatuses are those that each version left behind, see afterUpgrade.
func releasedStatuses(f *testing.F) []string {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(statuses, "*", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no released statuses: %v", err)
	}
	var texts []string
	for _, file := range files {
		var left struct{ Status json.RawMessage }
		raw, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(raw, &left)
		}
		if err != nil || len(left.Status) == 0 {
			f.Fatalf("%s has no status: %v", file, err)
		}
		texts = append(texts, string(left.Status))
	}
	return texts
}

// worlds are what a status may be wrong about: what serves, and how it leaves.
var worlds = []func() rollout.Input{
	func() rollout.Input { return served(rollout.EgressNone, 0) },
	func() rollout.Input { return served(rollout.EgressNone, 25) },
	func() rollout.Input { return served(rollout.EgressAll, 25) },
	func() rollout.Input { return served(rollout.EgressPrivate, 100) },
}

// served is a service at rest whose newest revision web-2 has a weight beside web-1.
func served(egress rollout.Egress, weight int64) rollout.Input {
	in := baking()
	in.Progress = rollout.Progress{}
	in.Service.Desired = nil
	for _, share := range rollout.NewSplit(map[string]int64{"web-1": 100 - weight, "web-2": weight}) {
		in.Service.Desired = append(in.Service.Desired, rollout.Entry{Revision: share.Revision, Percent: share.Percent})
	}
	in.Service.Effective = in.Service.Desired
	for name, revision := range in.Revisions {
		revision.Egress = egress
		in.Revisions[name] = revision
	}
	return in
}

// live makes one decision and lets it have its effect a minute later.
func live(t *testing.T, in rollout.Input) rollout.Input {
	t.Helper()
	d := rollout.Decide(in)
	p := d.Progress
	if !slices.Contains(rollout.Phases, p.Phase) || p.Reason == "" || d.Note == "" || d.Next == "" || !d.LookAt.After(in.Now) {
		t.Fatalf("decision %+v", d)
	}
	if p.Phase == rollout.Completed && in.Progress.Phase != rollout.Completed {
		t.Fatalf("completed without evidence: %s", d.Note)
	}
	if d.Write != nil {
		checkUnproven(t, in, d)
		in.Service.Desired = d.Write.Targets()
		in.Service.Effective = in.Service.Desired
		in.Service.Generation++
		in.Service.ObservedGeneration++
		in.Service.ETag += "+"
	}
	in.Progress, in.Now = restart(t, p), in.Now.Add(time.Minute)
	return in
}

// checkUnproven wants of a write without evidence that it gives no revision more
// than it has, but for the baseline that the status names.
func checkUnproven(t *testing.T, in rollout.Input, d rollout.Decision) {
	t.Helper()
	before, sum := sums(in.Service.Desired), int64(0)
	for revision, percent := range sums(d.Write.Targets()) {
		sum += percent
		if percent > before[revision] && revision != d.Progress.Stable {
			t.Fatalf("%s goes from %d%% to %d%% without evidence: %s", revision, before[revision], percent, d.Note)
		}
	}
	if sum != 100 || d.Progress.Stable != in.Progress.Stable {
		t.Fatalf("%v to baseline %q, it was %q", d.Write.Targets(), d.Progress.Stable, in.Progress.Stable)
	}
}

func sums(entries []rollout.Entry) map[string]int64 {
	total := map[string]int64{}
	for _, e := range entries {
		total[e.Revision] += e.Percent
	}
	return total
}
