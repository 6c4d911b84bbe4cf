package cli_test

import (
	"bytes"
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/cli"
)

// state is a rollout of web in a phase, as kubectl get -o yaml writes it.
func state(phase, reason, beside, candidate string) string {
	return `---
apiVersion: rollouts.sluice.dev/v1alpha1
kind: CloudRunRollout
metadata: {name: web, namespace: shop}
status:
  phase: ` + phase + `
  conditions:
  - {type: Ready, status: "` + map[string]string{"": "True"}[beside] + `", reason: ` + reason + `, message: m, lastTransitionTime: null}
  - {type: "` + beside + `", status: "True", reason: ` + reason + `, message: m, lastTransitionTime: null}
  stable: {revision: web-1, percent: 50}
  candidate: {revision: ` + candidate + `, percent: 50}
`
}

var (
	baking    = state("Baking", "Progressing", "Reconciling", "web-2")
	newer     = state("Baking", "Progressing", "Reconciling", "web-3")
	completed = state("Completed", "Completed", "", "web-2")
	steady    = state("Idle", "Steady", "", "web-1")
	rolled    = state("RolledBack", "RolledBack", "Stalled", "web-2")
	denied    = state("Idle", "AccessDenied", "Stalled", "web-2")
	paused    = state("Paused", "Paused", "Reconciling", "web-2")
	gate      = state("AwaitingApproval", "AwaitingApproval", "Reconciling", "web-2")
	held      = state("Held", "HeldByAnalysis", "Reconciling", "web-2")
)

// TestExitCodes is the table of all of them, as pipelines rely on it: see the help
// of kubectl sluice and docs/kubectl-sluice.md.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, objects string
		want          int
	}{
		"completed":                        {"status web", baking + completed, cli.ExitDone},
		"nothing to do":                    {"status web", steady, cli.ExitDone},
		"rolled back":                      {"status web", baking + rolled, cli.ExitFailed},
		"stuck":                            {"status web", denied, cli.ExitFailed},
		"waits for a person, who paused":   {"status web", baking + paused, cli.ExitPerson},
		"waits for a person's approval":    {"status web", baking + gate, cli.ExitPerson},
		"superseded":                       {"status web", baking + newer, cli.ExitSuperseded},
		"still under way at the end":       {"status web", baking + held, cli.ExitTimeout},
		"still under way at the only look": {"status web --watch=false", baking, cli.ExitTimeout},
		"a revision that is still to come": {"status web --revision web-9", completed, cli.ExitTimeout},
		"a revision that completed":        {"status web --revision web-2", newer + completed, cli.ExitDone},
		"not there":                        {"status api", baking, cli.ExitUnread},
		"not there, to be shown":           {"why api", baking, cli.ExitFailed},
		"no such flag":                     {"status web --nope", baking, cli.ExitUsage},
		"no such command":                  {"nope", baking, cli.ExitUsage},
		"too many names":                   {"status web api", baking, cli.ExitUsage},
		"a verb without a reason":          {"pause web", baking, cli.ExitUsage},
		"a name that is none":              {"why a/b/c", baking, cli.ExitUsage},
		"shown, whatever it is":            {"why web", rolled, cli.ExitDone},
		"a manifest that is not valid":     {"lint", baking, cli.ExitFailed},
	} {
		args := strings.Fields(c.args)
		if args[0] != "nope" && args[0] != "pause" {
			args = append(args, "-f", "-")
		}
		var out bytes.Buffer
		env := cli.Env{
			In: strings.NewReader(c.objects), Out: &out, Err: &out,
			Clock: clocktesting.NewFakeClock(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)),
		}
		if got := cli.Run(t.Context(), cli.Command(env), args); got != c.want {
			t.Errorf("%s: %s exits with %d, not with %d:\n%s", name, c.args, got, c.want, out.String())
		}
	}
}

func TestAnInterruptedCommandExitsLikeAShellSays(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	env := cli.Env{In: strings.NewReader(baking), Out: &out, Err: &out, Clock: clocktesting.NewFakeClock(time.Time{})}
	if got := cli.Run(ctx, cli.Command(env), []string{"status", "web", "-f", "-"}); got != cli.ExitInterrupted {
		t.Errorf("it exits with %d, not with %d:\n%s", got, cli.ExitInterrupted, out.String())
	}
}

// full is a file on a disk that is full, or a pipe that nobody reads.
type full struct{ why error }

func (f full) Write([]byte) (int, error) { return 0, f.why }

// TestWhatCannotBePrintedChangesNoOutcome: a pipeline with a full disk is told how the
// rollout ended, and that it lost the words. Whoever only reads is told that there are none,
// and whoever stopped reading nothing.
func TestWhatCannotBePrintedChangesNoOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args, objects string
		why           error
		want          int
		told          string
	}{
		{"status web", baking + completed, syscall.ENOSPC, cli.ExitDone, "Note: what is printed cannot be written: no space left on device."},
		{"status web", baking + rolled, syscall.ENOSPC, cli.ExitFailed, "Note: what is printed cannot be written: no space left on device."},
		{"status web", baking + gate, syscall.ENOSPC, cli.ExitPerson, "Note: what is printed cannot be written: no space left on device."},
		{"status web", baking + completed, syscall.EPIPE, cli.ExitPipe, ""},
		{"status web", completed, syscall.EPIPE, cli.ExitDone, ""},
		{"why web", completed, syscall.ENOSPC, cli.ExitFailed, "error: no space left on device"},
		{"why web", completed, syscall.EPIPE, cli.ExitPipe, ""},
	} {
		var said bytes.Buffer
		env := cli.Env{In: strings.NewReader(c.objects), Out: full{c.why}, Err: &said, Clock: clocktesting.NewFakeClock(time.Time{})}
		if got := cli.Run(t.Context(), cli.Command(env), append(strings.Fields(c.args), "-f", "-")); got != c.want {
			t.Errorf("%s, %v: exits with %d, not with %d", c.args, c.why, got, c.want)
		}
		if told := said.String(); !strings.HasPrefix(told, c.told) || c.told == "" && told != "" || strings.Count(told, "\n") > 1 {
			t.Errorf("%s, %v: on standard error, want once %q:\n%s", c.args, c.why, c.told, told)
		}
	}
}
