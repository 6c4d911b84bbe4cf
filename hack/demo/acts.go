package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// act is one release and how it must end.
type act struct {
	title string
	// service is the full name of what is released; none is graphql-api.
	service string
	image   string
	// killAt is the phase in which the manager is killed, once, with SIGKILL.
	killAt v1alpha1.Phase
	ends   v1alpha1.Phase
	// manifest is applied before it; none leaves the one before.
	manifest string
	// begins is when it is deployed, counted from the world's beginning: the time
	// until then is skipped. 0 is as soon as the act before is over.
	begins time.Duration
	// cured is when the world takes the cause of the trouble away, counted alike.
	cured time.Duration
}

// The images of the story. What each does is written in the scenario.
const images = "asia-northeast1-docker.pkg.dev/acme/web/graphql:"

var story = []act{
	{
		title: "2 healthy release", image: images + "1.42.0",
		killAt: v1alpha1.PhaseBaking, ends: v1alpha1.PhaseCompleted,
	},
	{
		title: "3 release with 5% errors", image: images + "1.43.0",
		killAt: v1alpha1.PhaseBaking, ends: v1alpha1.PhaseRolledBack,
	},
	{
		title: "4a NAT drops for a while", image: images + "1.44.0", manifest: "hack/demo/rollout-nat.yaml",
		begins: 3*time.Hour + 30*time.Minute, cured: 4*time.Hour + 3*time.Minute,
		killAt: v1alpha1.PhaseHeld, ends: v1alpha1.PhaseCompleted,
	},
	{
		title: "4b NAT drops do not stop", image: images + "1.45.0",
		killAt: v1alpha1.PhaseHeld, ends: v1alpha1.PhaseRolledBack,
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
	s.watch = &watcher{stage: s, rollout: client.ObjectKey{Namespace: "default", Name: "graphql-api"}}
	if err := s.idle(ctx); err != nil {
		return nil, err
	}
	results, err := s.playActs(ctx, story)
	if err != nil {
		return nil, err
	}
	more, err := s.playKept(ctx)
	return append(results, more...), err
}

// idle waits until the rollout that is watched is at rest for the first time, and its traffic pinned.
func (s *stage) idle(ctx context.Context) error {
	return until(ctx, "the first status and the pin", 30*time.Second, func() (bool, error) {
		ro, err := s.watch.look(ctx)
		return err == nil && ro.Status.Phase == v1alpha1.PhaseIdle && ready(ro) && !pins(ro), err
	})
}

// playActs plays one act after another.
func (s *stage) playActs(ctx context.Context, acts []act) ([]result, error) {
	var results []result
	for _, a := range acts {
		r, err := s.playAct(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("act %s: %w\n%s", a.title, err, s.watch.last)
		}
		results = append(results, r)
	}
	return results, nil
}

// playAct deploys a release, kills the manager on the way, and waits for the end.
func (s *stage) playAct(ctx context.Context, a act) (result, error) {
	r := result{act: a}
	err := s.prepare(ctx, a)
	if err != nil {
		return r, err
	}
	if r.from, err = s.world.now(ctx); err != nil {
		return r, err
	}
	if r.candidate, err = s.deploy(ctx, a); err != nil {
		return r, err
	}
	fmt.Printf("\nAct %s: %s was deployed\n", a.title, short(r.candidate))
	if err := until(ctx, "the end of the act", actLimit, func() (bool, error) { return s.lookOn(ctx, &r) }); err != nil {
		return r, err
	}
	if r.to, err = s.world.now(ctx); err != nil {
		return r, err
	}
	log, err := s.world.log(ctx)
	if err != nil {
		return r, err
	}
	// The last packets are in the metrics a few minutes later.
	if err := s.world.skip(ctx, r.to.Add(5*time.Minute)); err != nil {
		return r, err
	}
	if r.drops, err = s.world.drops(ctx, r.from, r.to); err != nil {
		return r, err
	}
	return r.read(log), nil
}

// deploy deploys an act's image the way that its service is deployed.
func (s *stage) deploy(ctx context.Context, a act) (revision string, err error) {
	if a.service == cart {
		return s.release(ctx, a.image)
	}
	return s.world.deploy(ctx, a.image)
}

// lookOn looks once, kills the manager when it is time to, and tells whether the
// act is over.
func (s *stage) lookOn(ctx context.Context, r *result) (over bool, err error) {
	ro, err := s.watch.look(ctx)
	if err != nil {
		return false, err
	}
	mine := ro.Status.Attempt != nil && ro.Status.Attempt.Candidate == r.candidate
	r.outcome = ro.Status.Phase
	r.held = r.held || mine && heldByNAT(ro)
	if mine && !r.killed && ro.Status.Phase == r.act.killAt {
		r.killed = true
		return false, s.restartManager()
	}
	return mine && ended(ro.Status.Phase), nil
}

// prepare applies an act's manifest and lets the time until it pass.
func (s *stage) prepare(ctx context.Context, a act) error {
	s.watch.cured = time.Time{}
	if a.cured > 0 {
		s.watch.cured = s.began.Add(a.cured)
	}
	if a.begins > 0 {
		now, err := s.world.now(ctx)
		if err != nil {
			return err
		}
		begins := s.began.Add(a.begins)
		if now.After(begins) {
			return fmt.Errorf("it is %s already, and the act is to begin at %s: this machine is too slow for this speed",
				now.Format(time.TimeOnly), begins.Format(time.TimeOnly))
		}
		fmt.Printf("\nThe time until %s is skipped; the cool-down of the NAT after a rollback is over by then.\n", begins.Format("15:04"))
		if err := s.world.skip(ctx, begins); err != nil {
			return err
		}
	}
	if a.manifest == "" {
		return nil
	}
	say("%s is applied with kubectl: three steps of three minutes, and 20 minutes of patience with a NAT", a.manifest)
	return s.apply(ctx, a.manifest)
}

// heldByNAT tells whether the status says that the NAT's packets hold it.
func heldByNAT(ro *v1alpha1.CloudRunRollout) bool {
	ready := readiness(ro)
	return ro.Status.Phase == v1alpha1.PhaseHeld && ready.Reason == v1alpha1.ReasonHeldByAnalysis &&
		strings.Contains(ready.Message, v1alpha1.CheckNATDrops)
}

func ended(p v1alpha1.Phase) bool {
	return p == v1alpha1.PhaseCompleted || p == v1alpha1.PhaseRolledBack
}

// pins tells whether the traffic is about to be taken from LATEST: what is deployed in that
// moment gets everything at once, as it would have without us.
func pins(ro *v1alpha1.CloudRunRollout) bool {
	return strings.Contains(readiness(ro).Message, "is being pinned")
}

func ready(ro *v1alpha1.CloudRunRollout) bool {
	return readiness(ro).Status == metav1.ConditionTrue
}

// readiness returns the condition Ready, or an empty one.
func readiness(ro *v1alpha1.CloudRunRollout) metav1.Condition {
	if c := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// restartManager kills the manager where it stands and starts it again.
func (s *stage) restartManager() error {
	say("--- the manager is killed with SIGKILL and started again ---")
	s.manager.kill()
	return s.startManager()
}
