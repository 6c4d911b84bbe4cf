package cli_test

import (
	"bytes"
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli"
)

// spoken is what a command prints, and a way to wait for a part of it.
type spoken struct {
	mu     sync.Mutex
	text   bytes.Buffer
	wanted string
	heard  chan struct{}
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	if s.wanted != "" && strings.Contains(s.text.String(), s.wanted) {
		close(s.heard)
		s.wanted = ""
	}
	return len(p), nil
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// command is a run of the program whose clock a test sets.
type command struct {
	*world
	clock  *clocktesting.FakeClock
	out    *spoken
	ctx    context.Context //nolint:containedctx // it is as old as the test
	stop   context.CancelFunc
	exited chan int
}

// start runs kubectl sluice in a namespace of its own, in which objects of the
// demo's world are.
func start(t *testing.T, wanted string, objects []string, args ...string) *command {
	t.Helper()
	w, err := newWorld(t.Context(), strings.ToLower(t.Name()))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range objects {
		if err := w.put(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	return w.run(t, wanted, args...)
}

// run runs kubectl sluice in a namespace that is there.
func (w *world) run(t *testing.T, wanted string, args ...string) *command {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := plane.WriteKubeconfig(kubeconfig); err != nil {
		t.Fatal(err)
	}
	e := env()
	clock := clocktesting.NewFakeClock(e.Clock.Now())
	out := &spoken{wanted: wanted, heard: make(chan struct{})}
	e.Clock, e.Out, e.Err = clock, out, out
	root := cli.Command(e)
	ctx, stop := context.WithCancel(t.Context())
	c := &command{world: w, clock: clock, out: out, ctx: ctx, stop: stop, exited: make(chan int, 1)}
	go func() {
		c.exited <- cli.Run(ctx, root, append(args, "--kubeconfig", kubeconfig, "-n", w.namespace))
	}()
	return c
}

// stepWhenWaited sets the clock forward as soon as somebody waits for it.
func (c *command) stepWhenWaited(d time.Duration) {
	for !c.clock.HasWaiters() {
		runtime.Gosched()
	}
	c.clock.Step(d)
}

// exits wants an exit code and parts of what was printed.
func (c *command) exits(t *testing.T, code int, parts ...string) {
	t.Helper()
	if got := <-c.exited; got != code {
		t.Errorf("it exits with %d, not with %d", got, code)
	}
	for _, part := range parts {
		if !strings.Contains(c.out.String(), part) {
			t.Errorf("it does not say %q:\n%s", part, c.out)
		}
	}
}

const byHand = "gcloud run services update-traffic graphql-api --project acme-prod --region asia-northeast1 --to-revisions graphql-api-00004-gbq=100\n"

func TestAbortSaysHowToDoItByHandWhereCloudRunDoesNotConfirm(t *testing.T) {
	t.Parallel()
	c := start(t, "Accepted: everything goes", []string{"held.yaml"}, "abort", "graphql-api")
	request, err := c.asked(t.Context(), "graphql-api", v1alpha1.VerbAbort)
	if err == nil {
		err = c.answer(t.Context(), "graphql-api", request[v1alpha1.RequestID], v1alpha1.RequestAccepted, "everything goes back")
	}
	if err != nil {
		t.Fatal(err)
	}
	<-c.out.heard
	c.stepWhenWaited(2 * time.Minute)
	c.exits(t, cli.ExitTimeout, "Cloud Run has not confirmed it yet",
		"Cloud Run serves graphql-api-00005-kpc 25%, graphql-api-00004-gbq 75%.", byHand)
}

func TestAbortSaysHowToDoItByHandWhereNobodyAnswers(t *testing.T) {
	t.Parallel()
	c := start(t, "", []string{"held.yaml"}, "abort", "graphql-api")
	if _, err := c.asked(t.Context(), "graphql-api", v1alpha1.VerbAbort); err != nil {
		t.Fatal(err)
	}
	c.stepWhenWaited(2 * time.Minute)
	c.exits(t, cli.ExitTimeout, "No answer yet: does the manager run?", byHand)
}

func TestStatusExitsWith124WhenTheTimeIsOver(t *testing.T) {
	t.Parallel()
	c := start(t, "Progressing", []string{"baking.yaml"}, "status", "web", "--timeout", "30m")
	<-c.out.heard
	c.stepWhenWaited(30 * time.Minute)
	c.exits(t, cli.ExitTimeout, "error: still under way when the time was over")
}

func TestStatusIsInterrupted(t *testing.T) {
	t.Parallel()
	c := start(t, "Progressing", []string{"baking.yaml"}, "status", "web")
	<-c.out.heard
	c.stop()
	c.exits(t, cli.ExitInterrupted)
}

func TestAWatchEndsWhenWhatItShowsIsDeleted(t *testing.T) {
	t.Parallel()
	c := start(t, "Progressing at 25%", []string{"baking.yaml"}, "get", "web", "-w")
	<-c.out.heard
	ro := &v1alpha1.CloudRunRollout{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: c.namespace}}
	if err := c.Delete(t.Context(), ro); err != nil {
		t.Fatal(err)
	}
	c.exits(t, cli.ExitFailed, "error: the CloudRunRollout was deleted")
}
