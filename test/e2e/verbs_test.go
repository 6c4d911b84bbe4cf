package e2e_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli"
)

// kubectl runs a verb of kubectl sluice as a person does, who waits for what comes of it,
// while the manager looks again and again.
func (s *stage) kubectl(verb string, args ...string) string {
	s.t.Helper()
	kubeconfig := filepath.Join(s.t.TempDir(), "kubeconfig")
	if err := plane.WriteKubeconfig(kubeconfig); err != nil {
		s.t.Fatal(err)
	}
	args = append([]string{verb, s.key.Name, "-n", s.key.Namespace, "--kubeconfig", kubeconfig, "--reason", "a test"}, args...)
	var said bytes.Buffer
	code := make(chan int, 1)
	go func() {
		env := cli.Env{In: strings.NewReader(""), Out: &said, Err: &said, Clock: clock.RealClock{}, Version: "test"}
		code <- cli.Run(s.t.Context(), cli.Command(env), args)
	}()
	often := time.NewTicker(5 * time.Millisecond)
	defer often.Stop()
	for {
		select {
		case c := <-code:
			if c != cli.ExitDone {
				s.t.Fatalf("%s ends with %d: %s", verb, c, said.String())
			}
			return said.String()
		case <-often.C:
			s.due = min(s.due, 200*time.Millisecond) // however slow the program is, no step ends meanwhile
			s.pass()
		}
	}
}

// TestAPersonSteersARollout goes through the verbs with the program that people have,
// the real kube-apiserver and the real reconciler.
func TestAPersonSteersARollout(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	s.pass()
	s.deploy("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseBaking)

	said := s.kubectl("pause")
	for range 20 {
		s.pass()
	}
	if ro := s.get(); ro.Status.Phase != v1alpha1.PhasePaused || ro.Status.Weight != "20%" || !strings.Contains(said, "Accepted") {
		t.Fatalf("after a pause it is %s at %s: %s", ro.Status.Phase, ro.Status.Weight, said)
	}
	s.kubectl("resume")
	s.kubectl("promote", "--full")
	s.until(v1alpha1.PhaseCompleted)
	if diff := cmp.Diff(steps, s.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	said = s.kubectl("undo")
	s.until(v1alpha1.PhaseRolledBack)
	if last := s.writes()[len(s.writes())-1]; last["web-1"] != 100 || !strings.Contains(said, "web-1") {
		t.Errorf("after an undo %v serves: %s", last, said)
	}
}

// TestAnAbortSaysWhatCloudRunServes: whoever asks waits until it is so.
func TestAnAbortSaysWhatCloudRunServes(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	s.pass()
	s.deploy("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseBaking)
	said := s.kubectl("abort")
	if ro := s.get(); ro.Status.Phase != v1alpha1.PhaseRolledBack || !strings.Contains(said, "Cloud Run confirms: web-1 serves 100%") {
		t.Errorf("it is %s; the command said: %s", ro.Status.Phase, said)
	}
	if diff := cmp.Diff(back, s.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}
