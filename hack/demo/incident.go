package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	shopScenario = "hack/demo/scenarios/incident.yaml"
	shopManifest = "hack/demo/incident.yaml"

	// shopRelease is when the scenario deploys, counted from the world's beginning.
	shopRelease = time.Hour
	// aftermath is how long the users are watched minute by minute without Sluice.
	aftermath = 24 * time.Minute
	// longestRelease is how long either way is watched at most.
	longestRelease = 5 * time.Hour
	// unwatched is the speed of what nobody but the demo looks at.
	unwatched = 300
	// arrival is the speed at which the manager finds the shop.
	arrival = 30
	// shopLimit is how long the act may take in real time.
	shopLimit = 4 * time.Minute
)

// shopServices are released together.
var shopServices = []string{"web", "graphql-api"}

// incident is the first act: one release of one shop, in two worlds from the same
// seed.
type incident struct {
	without, with truth
	until         time.Duration // from the release on, of what is compared
	seen          seen
}

// seen is what the status of the rollouts said.
type seen struct {
	arithmetic string // of the last wait for room
	tight      string // what the gateway had to give when a smaller weight was inserted
	inserted   map[string]string
	gateways   map[string]v1alpha1.GatewayStatus
	ended      map[string]v1alpha1.Phase
	tooEarly   []string // what was judged before it could be known
}

// playIncident plays the first act both ways.
func (s *stage) playIncident(ctx context.Context, speed float64) (incident, error) {
	fmt.Println(`
Act 1 the incident
  A shop moves to Cloud Run. Its front end, web, and its API, graphql-api, send all that they call through one Cloud NAT
  with one address: ports for 126 endpoints, of which an instance takes two. One pipeline deploys both. Nothing in the
  release is wrong, and nothing in the scenario says what will happen: instances, connections and ports decide it.`)
	var act incident
	var err error
	if act.without, err = s.atOnce(ctx); err != nil {
		return act, fmt.Errorf("act 1, without Sluice: %w", err)
	}
	if err = s.stepwise(ctx, speed, &act); err != nil {
		return act, fmt.Errorf("act 1, with Sluice: %w", err)
	}
	act.until = min(act.with.minutes[len(act.with.minutes)-1].End.Sub(act.with.released), longestRelease)
	return act, nil
}

// atOnce lets the traffic follow the newest revision, as it does by default.
func (s *stage) atOnce(ctx context.Context) (truth, error) {
	fmt.Println("\n  Without Sluice: traffic follows the newest revision, all of it at once")
	if err := s.startWorld(ctx, shopScenario, 0); err != nil {
		return truth{}, err
	}
	t := truth{way: "without Sluice", released: s.began.Add(shopRelease)}
	if err := s.world.skip(ctx, t.released.Add(-time.Minute)); err != nil {
		return t, err
	}
	if err := s.world.setSpeed(ctx, unwatched); err != nil {
		return t, err
	}
	teller := minuteTeller{released: t.released}
	err := until(ctx, "the end of the trouble", shopLimit, func() (bool, error) {
		minutes, err := s.world.minutes(ctx, teller.last)
		teller.tell(minutes)
		return !teller.last.Before(t.released.Add(aftermath)), err
	})
	if err != nil {
		return t, err
	}
	if err := s.world.skip(ctx, t.released.Add(longestRelease)); err != nil {
		return t, err
	}
	return t, s.readTruth(ctx, &t)
}

// readTruth asks the world how it really was.
func (s *stage) readTruth(ctx context.Context, t *truth) error {
	log, err := s.world.log(ctx)
	if err != nil {
		return err
	}
	t.rises = risesOf(log, t.released)
	t.minutes, err = s.world.minutes(ctx, time.Time{})
	return err
}

// minuteTeller tells what users meet, minute by minute.
type minuteTeller struct {
	released time.Time
	last     time.Time
	suffered bool
}

// tell prints the first minutes after the release, every third one while it lasts,
// and the first one without trouble.
func (t *minuteTeller) tell(minutes []simulator.Minute) {
	for _, m := range minutes {
		t.last = m.End
		if m.End.Before(t.released) {
			continue
		}
		since := int(m.End.Sub(t.released) / time.Minute)
		f := figures{}.with(m)
		over := t.suffered && f.trouble == 0
		t.suffered = f.trouble > 0
		if !over && since > 2 && (f.trouble == 0 || since%3 != 0) {
			continue
		}
		fmt.Printf("  %s  %3d min  %5d requests, failed: %-11s  NAT: %3d of %d endpoints, %3d without ports, %4d packets dropped\n",
			m.End.Format("15:04:05"), since, f.asked, f.losses(), f.endpoints, f.capacity, f.without, f.dropped)
	}
}

// stepwise plays the same release with Sluice.
func (s *stage) stepwise(ctx context.Context, speed float64, act *incident) error {
	fmt.Printf("\n  With Sluice: the same shop from the same seed, at %.0f times real time. It is told the names of the services, and nothing else\n", speed)
	if err := s.startWorld(ctx, shopScenario, arrival); err != nil {
		return err
	}
	if err := s.startManager(); err != nil {
		return err
	}
	if err := s.apply(ctx, shopManifest); err != nil {
		return err
	}
	act.with = truth{way: "with Sluice", released: s.began.Add(shopRelease)}
	act.seen = seen{inserted: map[string]string{}, gateways: map[string]v1alpha1.GatewayStatus{}, ended: map[string]v1alpha1.Phase{}}
	watchers := s.shopWatchers()
	if err := s.pinned(ctx, watchers, act.with.released); err != nil {
		return err
	}
	if err := s.world.setSpeed(ctx, speed); err != nil {
		return err
	}
	err := until(ctx, "the end of both rollouts", shopLimit, func() (bool, error) { return act.seen.look(ctx, watchers) })
	if err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, watchers[0].last, watchers[1].last)
	}
	for _, w := range watchers {
		act.seen.tooEarly = append(act.seen.tooEarly, w.broken...)
	}
	if err := s.readTruth(ctx, &act.with); err != nil {
		return err
	}
	return s.leaveShop(ctx)
}

func (s *stage) shopWatchers() []*watcher {
	var watchers []*watcher
	for _, name := range shopServices {
		key := client.ObjectKey{Namespace: "shop", Name: name}
		watchers = append(watchers, &watcher{stage: s, rollout: key, column: fmt.Sprintf("%-12s ", name)})
	}
	return watchers
}

// pinned waits until the traffic of both services is held where it is, and lets
// the time until the release pass.
func (s *stage) pinned(ctx context.Context, watchers []*watcher, released time.Time) error {
	err := until(ctx, "the first status of both rollouts", 40*time.Second, func() (bool, error) {
		for _, w := range watchers {
			if ro, err := w.look(ctx); err != nil || !ready(ro) {
				return false, err
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	now, err := s.world.now(ctx)
	if err != nil {
		return err
	}
	if !now.Before(released.Add(-time.Minute)) {
		return fmt.Errorf("it is %s already, and the release is at %s: this machine is too slow", now.Format(time.TimeOnly), released.Format(time.TimeOnly))
	}
	return s.world.skip(ctx, released.Add(-time.Minute))
}

// leaveShop takes the rollouts away while somebody is there to let them go.
func (s *stage) leaveShop(ctx context.Context) error {
	if err := s.world.setSpeed(ctx, arrival); err != nil {
		return err
	}
	if err := s.run(ctx, "delete", "crr", "--all", "--namespace", "shop", "--timeout", "30s"); err != nil {
		return err
	}
	s.endManager()
	return nil
}

// look looks once at every rollout, and tells whether all have ended.
func (s *seen) look(ctx context.Context, watchers []*watcher) (over bool, err error) {
	over = true
	for _, w := range watchers {
		ro, err := w.look(ctx)
		if err != nil {
			return false, err
		}
		s.note(ro)
		s.ended[ro.Name] = ro.Status.Phase
		released := ro.Status.Attempt != nil && ro.Status.Attempt.Candidate != ""
		over = over && released && ended(ro.Status.Phase)
	}
	return over, nil
}

// note keeps what a status says of the gateway, and tells of it where it is why a
// smaller weight is sent.
func (s *seen) note(ro *v1alpha1.CloudRunRollout) {
	before := s.gateways[ro.Name]
	for _, g := range ro.Status.Gateways {
		s.gateways[ro.Name] = g
	}
	r := readiness(ro)
	if r.Reason == v1alpha1.ReasonWaitingForNat && strings.Contains(r.Message, "adds up to") && strings.Contains(r.Message, "room for") {
		s.arithmetic = r.Message
	}
	if numbers := shortage(s.gateways[ro.Name]); numbers != "" {
		s.tight = numbers
	}
	_, way, inserted := strings.Cut(ro.Status.Step, ", ")
	if inserted && s.inserted[ro.Name] != way {
		s.inserted[ro.Name] = way
		if numbers := shortage(before); numbers != "" {
			say("          %-12s %s, because NAT cannot follow at once: %s", ro.Name, way, numbers)
		}
	}
}

// shortage says what a status tells of a gateway that has room, and not enough for
// the next weight of the plan, or "".
func shortage(g v1alpha1.GatewayStatus) string {
	if g.Allocated == nil || g.Capacity == nil || g.Forecast == nil || g.Headroom == nil ||
		*g.Headroom == 0 || *g.Forecast-*g.Allocated <= *g.Headroom {
		return ""
	}
	return fmt.Sprintf("%s has lent %d of %d ports, would lend up to %d, and may lend %d more",
		g.Name, *g.Allocated, *g.Capacity, *g.Forecast, *g.Headroom)
}
