package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// releaseUnnamed is what Git says of the service without a name for its revision.
func (s *keptStage) releaseUnnamed(image string) {
	s.t.Helper()
	s.apply("git", map[string]any{
		"location": "asia-northeast1", "projectRef": map[string]any{"external": "acme-prod"},
		"template": map[string]any{"containers": []any{map[string]any{"image": image}}},
	})
}

// told are the events so far.
func (s *keptStage) told() []string {
	var told []string
	for len(s.events.Events) > 0 {
		told = append(told, <-s.events.Events)
	}
	return told
}

// TestALiveRevisionThatGitDoesNotNameIsToldWhenARolloutStarts: the next template is going
// to be refused.
func TestALiveRevisionThatGitDoesNotNameIsToldWhenARolloutStarts(t *testing.T) {
	t.Parallel()
	s := newKeptStage(t, toRunService)
	s.pass()
	s.release("example.com/web:2", "web-2")
	s.settle()
	s.releaseUnnamed("example.com/web:2")
	s.until(v1alpha1.PhaseBaking)
	const named = "the live template names revision web-2 and RunService "
	if told := s.told(); !slices.ContainsFunc(told, func(e string) bool {
		return strings.HasPrefix(e, "Warning") && strings.Contains(e, named) && strings.Contains(e, "write a new spec.template.revision with each change")
	}) {
		t.Errorf("told %q, want a warning with a part %q", told, named)
	}
	s.until(v1alpha1.PhaseCompleted)
}

// TestATemplateThatKeepsTheNameOfALiveRevisionIsRefused, and its rollout begins when Git
// gives it a name of its own.
func TestATemplateThatKeepsTheNameOfALiveRevisionIsRefused(t *testing.T) {
	t.Parallel()
	s := newKeptStage(t, toRunService)
	s.pass()
	s.releaseUnnamed("example.com/web:2")
	for range 3 {
		s.pass()
	}
	ro := s.get()
	if ro.Status.Phase != v1alpha1.PhaseIdle || s.traffic()["web-2"] != 0 || s.direct() != 0 {
		t.Errorf("%s with spec.traffic %v and %d writes to Cloud Run, want Idle and nothing", ro.Status.Phase, s.traffic(), s.direct())
	}
	if diff := cmp.Diff(map[string]int{"web-1": 100}, s.serves()); diff != "" {
		t.Errorf("serves (-want +got):\n%s", diff)
	}
	s.release("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseCompleted)
	if diff := cmp.Diff(map[string]int{"web-2": 100}, s.serves()); diff != "" {
		t.Errorf("serves at the end (-want +got):\n%s", diff)
	}
}
