package e2e_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// asWritten is a template as a person writes it: with zeros that are meant, and numbers as
// the API has them.
const asWritten = `{
	"containers": [{"image": "example.com/web:IMAGE", "resources": {"limits": {"cpu": "1"}, "cpuIdle": false},
		"env": [{"name": "PASSWORD", "valueSource": {"secretKeyRef": {"secret": "web-db", "version": "3"}}}]}],
	"scaling": {"minInstanceCount": 0, "maxInstanceCount": 40}, "timeout": "60s"
}`

// push writes a template of an image into the spec.
func (s *stage) push(image string) {
	s.t.Helper()
	ro := s.get()
	ro.Spec.Template = &runtime.RawExtension{Raw: []byte(strings.Replace(asWritten, "IMAGE", image, 1))}
	if err := s.client.Update(s.t.Context(), ro); err != nil {
		s.t.Fatal(err)
	}
	s.due = 0
}

// made counts the revisions that templates made.
func (s *stage) made() (digests []string) {
	s.world(func(w *simulator.World) {
		revisions, err := w.ListRevisions("projects/acme-prod/locations/asia-northeast1/services/web")
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range revisions {
			if digest := r.Annotations[rollout.TemplateAnnotation]; digest != "" {
				digests = append(digests, digest)
			}
		}
	})
	return digests
}

// TestATemplateInGitIsTheWholeRelease goes through the real client, its firewall and the
// wire: a release, a bad one, and the revert that makes the object healthy again.
func TestATemplateInGitIsTheWholeRelease(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	s.pass()
	s.push("2")
	ro := s.until(v1alpha1.PhaseCompleted)
	if got := s.made(); len(got) != 1 || ro.Status.Attempt.DeployedTemplate != got[0] {
		t.Fatalf("revisions of the templates %q were made; the status remembers %q", got, ro.Status.Attempt.DeployedTemplate)
	}
	s.push("bad")
	ro = s.until(v1alpha1.PhaseRolledBack)
	if !strings.Contains(ro.Status.NextAction, "Git still wants") || !strings.Contains(ro.Status.NextAction, "(example.com/web:bad)") {
		t.Errorf("next: %s", ro.Status.NextAction)
	}
	s.push("2")
	s.pass()
	s.restart()
	ro = s.pass()
	if !meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionReady) || len(s.made()) != 2 {
		t.Errorf("after the revert: %s, %d revisions", ro.Status.NextAction, len(s.made()))
	}
	for _, condition := range ro.Status.Conditions {
		if condition.Status == "False" {
			t.Errorf("after the revert %s: %s", condition.Type, condition.Message)
		}
	}
}
