package controllers

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// FuzzRequests reads any annotations as a person's request in an attempt that
// bakes: it is answered once, it is accepted only for the verb that it names to the
// letter and for the attempt and step that it names, and refused it changes nothing.
func FuzzRequests(f *testing.F) {
	f.Add("r1", "abort", "", "", "", "alice", "errors in checkout")
	f.Add("r1", "abort", "3", "2/4", "", "", "")
	f.Add("r1", "Abort", "3", "2", "web-2", "", "")
	f.Add("r1", "abort ", "03", "+2", "", "", "")
	f.Add("r1", "abort\u200b", "4", "1", "", "", "")
	f.Add("", "approve", "3", "2", "", "", "")
	f.Add("r1", "promote", "3", "2", "", "alice", "")
	f.Add("r1", "promote", "3", "", "web-2", "alice", "")
	f.Add("r1", "pause", "3", "1", "", "alice", "")
	f.Add("r1", "retry", "", "", "projects/p/locations/l/services/s/revisions/web-9", "", "")
	f.Add("r1", "resume", "99999999999999999999", "-1", "Web", "\x1b[2J", "\r\n")
	f.Add("r1", "", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, id, verb, attempt, step, revision, by, reason string) {
		ro := annotated(map[string]string{
			"id": id, "verb": verb, "attempt": attempt, "step": step, "revision": revision, "by": by, "reason": reason,
		})
		in := baking()
		unasked := rollout.Decide(in)
		in.Request = requestOf(ro)
		if !shown(in.Request) {
			t.Fatalf("request %+v", in.Request)
		}
		d := rollout.Decide(in)
		answer := d.Progress.LastRequest
		if in.Request.ID == "" {
			if verb != "" || id != "" || answer != (rollout.Reply{}) {
				t.Fatalf("not heard: id %q, verb %q, answer %+v", id, verb, answer)
			}
			return
		}
		if answer.ID != in.Request.ID || string(answer.Verb) != field(ro.Annotations, v1alpha1.RequestVerb) || answer.Message == "" {
			t.Fatalf("request %+v, answer %+v", in.Request, answer)
		}
		if answer.Accepted {
			checkAccepted(t, d, verb, attempt, step)
			return
		}
		d.Progress.LastRequest = rollout.Reply{}
		if diff := cmp.Diff(unasked.Progress, d.Progress); diff != "" || d.Write != nil {
			t.Fatalf("refused (%s), and it changes (-unasked +refused):\n%s", answer.Message, diff)
		}
	})
}

// baking is the third attempt, of web-2 at 25 %, in its second step, with nothing
// measured.
func baking() rollout.Input {
	split := rollout.NewSplit(map[string]int64{"web-1": 75, "web-2": 25})
	in := rollout.Input{
		Now: morning, Plan: defaultPlan(),
		Progress: rollout.Progress{
			Phase: rollout.Baking, Reason: rollout.Progressing, ServiceUID: "uid", Generation: 7, Stable: "web-1",
			Attempt: 3, Candidate: "web-2", Step: 2, FirstWrite: morning.Add(-time.Hour), Effective: morning.Add(-time.Minute), Confirmed: split,
		},
		Service: rollout.Service{
			Presence: rollout.Found, UID: "uid", Generation: 7, ObservedGeneration: 7, ETag: "e", LatestReady: "web-2", LatestCreated: "web-2",
		},
		Revisions: map[string]rollout.Revision{},
	}
	for _, share := range split {
		in.Service.Desired = append(in.Service.Desired, rollout.Entry{Revision: share.Revision, Percent: share.Percent})
		in.Revisions[share.Revision] = rollout.Revision{
			Presence: rollout.Found, Name: share.Revision, Readiness: rollout.Ready, Egress: rollout.EgressNone, CreatedAt: morning.Add(-24 * time.Hour),
		}
	}
	in.Service.Effective = in.Service.Desired
	return in
}

// shown tells whether everything in a request can be shown to others.
func shown(r rollout.Request) bool {
	for _, text := range []string{r.ID, string(r.Verb), r.By, r.Reason, r.Revision} {
		if len(text) > v1alpha1.MaxRequestField || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			return false
		}
	}
	return !strings.ContainsFunc(r.Malformed, unicode.IsControl)
}

// checkAccepted reads the annotations again. In an attempt that bakes only an
// abort, a pause and a promote mean anything, and a promote only to a step.
func checkAccepted(t *testing.T, d rollout.Decision, verb, attempt, step string) {
	t.Helper()
	leads := map[string]rollout.Phase{
		v1alpha1.VerbAbort: rollout.RollingBack, v1alpha1.VerbPause: rollout.Paused, v1alpha1.VerbPromote: rollout.Shifting,
	}
	verb = strings.TrimSpace(verb)
	if to, ok := leads[verb]; !ok || d.Progress.Phase != to {
		t.Fatalf("%q led to %s", verb, d.Progress.Phase)
	}
	step, _, _ = strings.Cut(step, "/")
	if verb == v1alpha1.VerbPromote && (strings.TrimSpace(attempt) == "" || strings.TrimSpace(step) == "") {
		t.Fatalf("a promote is accepted with attempt %q, step %q", attempt, step)
	}
	for text, want := range map[string]int{attempt: 3, step: 2} {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if n, err := strconv.Atoi(text); err != nil || n != want {
			t.Fatalf("attempt %q, step %q is accepted in attempt 3, step 2", attempt, step)
		}
	}
}

// FuzzSpecs resolves any spec: either a plan comes of it in which every time and
// every limit means something, or one line that names the field.
func FuzzSpecs(f *testing.F) {
	f.Add(`{}`)
	f.Add(`{"target":{"service":{"project":"p","location":"l","name":"web"}}}`)
	f.Add(`{"target":{"service":{}},"strategy":{"steps":[{"weight":5,"bake":"10m"},{"weight":100,"bake":"-1s"}],"stepDeadline":"soon\n"}}`)
	f.Add(`{"target":{"service":{}},"analysis":{"window":"1ns","checks":[{"name":"errors","serverErrors":{"maxPercent":"NaN"}}]}}`)
	f.Add(`{"target":{"service":{}},"analysis":{"checks":[{"name":"errors","serverErrors":{"maxPercent":"0x1p-2"}},{"name":"slow","latency":{"maxMilliseconds":800}}]}}`)
	f.Add(`{"target":{"service":{}},"analysis":{"checks":[{"name":"a\u0007b"}]},"nat":{"gateways":[{"project":"p"}],"reservePercent":20}}`)
	f.Fuzz(func(t *testing.T, text string) {
		ro := object()
		if json.Unmarshal([]byte(text), &ro.Spec) != nil {
			return
		}
		plan, err := planOf(ro)
		if err != nil {
			if line := err.Error(); !strings.HasPrefix(line, "spec.") || strings.ContainsFunc(line, unicode.IsControl) {
				t.Fatalf("%q", line)
			}
			return
		}
		times := []time.Duration{plan.StepDeadline, plan.Window, plan.NoData.After}
		for _, s := range plan.Steps {
			times = append(times, s.Bake)
		}
		if slices.Min(times) <= 0 || len(plan.Guards) < 3 {
			t.Fatalf("plan %+v", plan)
		}
		for _, g := range plan.Guards {
			if g.Rule == nil || g.Mode == "" || g.OnBreach == "" {
				t.Fatalf("guard %+v", g)
			}
		}
	})
}
