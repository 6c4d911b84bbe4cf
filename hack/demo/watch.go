package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// watcher reads the rollout, prints what changed, and collects what must hold at
// every look.
type watcher struct {
	stage   *stage
	rollout client.ObjectKey
	column  string    // what a line says before the step: which rollout, where there are more
	cured   time.Time // when the world takes a cause of trouble away; told once
	printed string
	last    string // what the newest look saw, for a failure
	broken  []string
}

// look reads the object once. A manager that died by itself ends the demo.
func (w *watcher) look(ctx context.Context) (*v1alpha1.CloudRunRollout, error) {
	if !w.stage.manager.running() {
		return nil, errors.New("the manager has ended by itself")
	}
	ro := &v1alpha1.CloudRunRollout{}
	if err := w.stage.kube.Get(ctx, w.rollout, ro); err != nil {
		return nil, err
	}
	now, err := w.stage.world.now(ctx)
	if err != nil {
		return nil, err
	}
	w.check(ro, now)
	w.print(ro, now)
	return ro, nil
}

// lags are the delays of the metrics, sample period and visibility together, as
// the documentation gives them; the shortest that each check rests on.
var lags = map[string]time.Duration{
	v1alpha1.CheckErrors:        180 * time.Second,
	v1alpha1.CheckNATAllocation: 120 * time.Second,
	v1alpha1.CheckNATDrops:      225 * time.Second,
}

// check holds the claims of the status against the world's time: nothing may be
// judged that cannot have arrived.
func (w *watcher) check(ro *v1alpha1.CloudRunRollout, now time.Time) {
	for _, c := range ro.Status.Checks {
		if c.ObservedThrough != nil && c.ObservedThrough.After(now.Add(-lags[c.Name])) {
			w.broken = append(w.broken, fmt.Sprintf("check %s judged minutes up to %s at %s, which cannot all have arrived",
				c.Name, c.ObservedThrough.UTC().Format(time.TimeOnly), now.Format(time.TimeOnly)))
		}
	}
}

// print shows a line when the rollout has changed, as kubectl get would.
func (w *watcher) print(ro *v1alpha1.CloudRunRollout, now time.Time) {
	ready := readiness(ro)
	w.last = fmt.Sprintf("at %s the rollout is %s (%s), step %s, %s: %s", now.Format(time.TimeOnly), ro.Status.Phase, ready.Reason,
		ro.Status.Step, ro.Status.Weight, ready.Message)
	if !w.cured.IsZero() && now.After(w.cured) {
		say("--- the network team has given the NAT more ports: nothing is dropped any more ---")
		w.cured = time.Time{}
	}
	step, _, _ := strings.Cut(ro.Status.Step, ",") // the message says where it is on the way to
	line := fmt.Sprintf("%s%-4s %-5s %s", w.column, step, ro.Status.Weight, ready.Reason)
	key := line
	if ro.Status.Phase == v1alpha1.PhaseHeld { // the same reason tells of more than one thing
		key += firstWord(ro.Status.NextAction)
	}
	if ended(ro.Status.Phase) { // a new plan does not make it news
		key = ready.Reason
		if ro.Status.Attempt != nil {
			key += ro.Status.Attempt.Candidate
		}
	}
	if key == w.printed || ready.Reason == "" {
		return
	}
	w.printed = key
	fmt.Println(wrap(fmt.Sprintf("  %s  %-*s ", now.Format("15:04:05"), len(w.column)+26, line), short(ready.Message)))
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// columns is how wide a line is at most.
const columns = 148

// wrap puts text behind a margin, in as many lines as it needs.
func wrap(margin, text string) string {
	lines, left := []string{margin}, len(margin)
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		if len(*last)+len(word) > columns && len(*last) > left {
			lines = append(lines, strings.Repeat(" ", left))
			last = &lines[len(lines)-1]
		}
		*last += word + " "
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// short leaves the service out of the names of revisions.
func short(text string) string { return services.Replace(text) }

var services = strings.NewReplacer("graphql-api-0", "0", "web-0", "0", "cart-0", "0")
