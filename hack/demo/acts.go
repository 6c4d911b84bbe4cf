package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// act is one release and how it must end.
type act struct {
	title string
	image string
	// killAt is the phase in which the manager is killed, once, with SIGKILL.
	killAt v1alpha1.Phase
	ends   v1alpha1.Phase
}

var story = []act{
	{
		title: "1 healthy release", image: "asia-northeast1-docker.pkg.dev/acme/web/graphql:1.42.0",
		killAt: v1alpha1.PhaseBaking, ends: v1alpha1.PhaseCompleted,
	},
	{
		title: "2 release with 5% errors", image: "asia-northeast1-docker.pkg.dev/acme/web/graphql:1.43.0",
		killAt: v1alpha1.PhaseBaking, ends: v1alpha1.PhaseRolledBack,
	},
}

// actLimit is how long an act may take in real time, which is far longer than
// it does.
const actLimit = 3 * time.Minute

// acts plays the story.
func (s *stage) acts(ctx context.Context) ([]result, error) {
	if err := s.startManager(); err != nil {
		return nil, err
	}
	s.watch = &watcher{stage: s}
	if err := until(ctx, "the first status", 30*time.Second, func() (bool, error) {
		ro, err := s.watch.look(ctx)
		return ro.Status.Phase == v1alpha1.PhaseIdle && ready(ro), err
	}); err != nil {
		return nil, err
	}
	var results []result
	for _, a := range story {
		r, err := s.playAct(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("act %s: %w", a.title, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// playAct deploys a release, kills the manager on the way, and waits for the end.
func (s *stage) playAct(ctx context.Context, a act) (result, error) {
	r := result{act: a}
	var err error
	if r.from, err = s.world.now(ctx); err != nil {
		return r, err
	}
	if r.candidate, err = s.world.deploy(ctx, a.image); err != nil {
		return r, err
	}
	fmt.Printf("\nAct %s: %s was deployed\n", a.title, r.candidate)
	s.watch.candidate = r.candidate

	err = until(ctx, "the end of the act", actLimit, func() (bool, error) {
		ro, err := s.watch.look(ctx)
		if err != nil {
			return false, err
		}
		mine := ro.Status.Attempt != nil && ro.Status.Attempt.Candidate == r.candidate
		if mine && !r.killed && ro.Status.Phase == a.killAt {
			r.killed = true
			return false, s.restartManager()
		}
		r.outcome = ro.Status.Phase
		return mine && ended(ro.Status.Phase), nil
	})
	if err != nil {
		return r, err
	}
	if r.to, err = s.world.now(ctx); err != nil {
		return r, err
	}
	log, err := s.world.log(ctx)
	if err != nil {
		return r, err
	}
	return r.read(log), nil
}

func ended(p v1alpha1.Phase) bool {
	return p == v1alpha1.PhaseCompleted || p == v1alpha1.PhaseRolledBack
}

func ready(ro *v1alpha1.CloudRunRollout) bool {
	for _, c := range ro.Status.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			return c.Status == metav1.ConditionTrue
		}
	}
	return false
}

// restartManager kills the manager where it stands and starts it again.
func (s *stage) restartManager() error {
	say("--- the manager is killed with SIGKILL and started again ---")
	s.manager.kill()
	return s.startManager()
}

// watcher reads the rollout, prints what changed, and collects what must hold at
// every look.
type watcher struct {
	stage     *stage
	candidate string
	printed   string
	broken    []string
	looks     int
}

// look reads the object once. A manager that died by itself ends the demo.
func (w *watcher) look(ctx context.Context) (*v1alpha1.CloudRunRollout, error) {
	if !w.stage.manager.running() {
		return nil, errors.New("the manager has ended by itself")
	}
	ro := &v1alpha1.CloudRunRollout{}
	if err := w.stage.kube.Get(ctx, client.ObjectKey{Namespace: "default", Name: "graphql-api"}, ro); err != nil {
		return nil, err
	}
	now, err := w.stage.world.now(ctx)
	if err != nil {
		return nil, err
	}
	w.looks++
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
	reason, message := "", ""
	for _, c := range ro.Status.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			reason, message = c.Reason, c.Message
		}
	}
	line := fmt.Sprintf("%-4s %-5s %s", ro.Status.Step, ro.Status.Weight, reason)
	if line == w.printed || reason == "" {
		return
	}
	w.printed = line
	fmt.Printf("  %s  %-26s %s\n", now.Format("15:04:05"), line, message)
}
