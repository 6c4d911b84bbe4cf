package controllers

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestAWayBackThatDoesNotArriveIsLogged: after ten minutes and every ten minutes, though
// nothing changes and Cloud Run does not answer, and by a new process at once. Policies
// of Cloud Monitoring wait for these words.
func TestAWayBackThatDoesNotArriveIsLogged(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.started()
	s.cloud.set(func() { s.cloud.errors["web-2"], s.cloud.stuck = 50, true })
	s.until(v1alpha1.PhaseRollingBack)
	s.cloud.set(func() { s.cloud.readErr = errors.New("nobody answers") })
	var late []string
	logger := funcr.NewJSON(func(line string) {
		if strings.Contains(line, `"msg":"The way back does not arrive"`) {
			late = append(late, line)
		}
	}, funcr.Options{})
	minutes := func(n int) int {
		late = nil
		for range n {
			s.wait(time.Minute)
			_, _ = s.r.Reconcile(log.IntoContext(t.Context(), logger), s.get()) // it fails, as it should
		}
		return len(late)
	}
	if n := minutes(8); n != 0 {
		t.Errorf("told %d times within eight minutes", n)
	}
	if n := minutes(27); n != 3 {
		t.Errorf("told %d times until minute 35: %v", n, late)
	}
	for _, want := range []string{`"candidate":"web-2"`, `"stable":"web-1"`} {
		if !strings.Contains(strings.Join(late, ""), want) {
			t.Errorf("%s is not in %v", want, late)
		}
	}
	s.restart()
	if n := minutes(1); n != 1 {
		t.Errorf("a new process told it %d times", n)
	}
	s.cloud.set(func() {
		s.cloud.readErr = nil
		s.cloud.service.Effective, s.cloud.service.ObservedGeneration = s.cloud.service.Desired, s.cloud.service.Generation
	})
	s.until(v1alpha1.PhaseRolledBack)
	if n := minutes(15); n != 0 {
		t.Errorf("told %d times after it arrived", n)
	}
}
