package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// The targets of sharing: five services that are released at once all get there,
// no packet is dropped, and it takes at most so many times as long as one after
// another.
const (
	together   = 5
	mostTimeOf = 1.5
)

// tellSharing releases five services at once, and one alone.
func tellSharing(out io.Writer, _ options) (verdict, error) {
	t, claims, err := playSharing()
	if err != nil {
		return verdict{}, err
	}
	t.write(out)
	_, _ = fmt.Fprintln(out)
	return tellClaims(out, claims), nil
}

func playSharing() (table, []claim, error) {
	t := table{
		title:  "Services behind one gateway that are released at the same time",
		header: []string{"RELEASED", "100% REACHED", "AFTER", "PEAK OF ENDPOINTS", "DROPPED", "FAILED"},
	}
	alone, err := share(1, longest)
	if err != nil {
		return t, nil, err
	}
	limit := time.Duration(mostTimeOf * together * float64(alone.figures().took))
	all, err := share(together, limit+length) // so that one that takes longer is seen to
	if err != nil {
		return t, nil, err
	}
	runs := []run{alone, all}
	for _, r := range runs {
		f := r.figures()
		t.row(fmt.Sprintf("%d of %d", len(r.ends), together), strconv.Itoa(r.reached()), f.time(),
			fmt.Sprintf("%d of %d", f.endpoints, f.capacity/sharedPorts), strconv.Itoa(f.dropped), f.losses())
	}
	return t, claimsOfSharing(alone, all, limit), nil
}

func claimsOfSharing(alone, all run, limit time.Duration) []claim {
	one, five := alone.figures(), all.figures()
	return []claim{
		{
			text:  fmt.Sprintf("%d services released at once all reach 100%%", together),
			found: strconv.Itoa(all.reached()),
			holds: all.reached() == together,
		},
		{
			text:  "they have to wait for each other: some wait for room or for their turn",
			found: fmt.Sprintf("%d of %d did", all.waited, together), holds: all.waited > 1,
		},
		{
			text:  "no packet is dropped because of a step, and no endpoint is without ports",
			found: fmt.Sprintf("%d packets, %d endpoints", five.dropped, five.without), holds: five.dropped == 0 && five.without == 0,
		},
		{
			text:  fmt.Sprintf("within %v times the time of one after another", mostTimeOf),
			found: fmt.Sprintf("%s, one takes %s, so at most %d min", five.time(), one.time(), int(limit.Minutes())),
			holds: five.took > 0 && five.took <= limit,
		},
	}
}

// sharedPorts is how many ports an endpoint gets in the world of five services: so
// many that one address has no room for two fleets of all five.
const sharedPorts = 512

// reached is how many releases got all traffic.
func (r run) reached() int {
	n := 0
	for _, e := range r.ends {
		if e.took > 0 {
			n++
		}
	}
	return n
}

// share releases some of five services at once, and watches them until they are done
// or for so long.
func share(released int, watched time.Duration) (run, error) {
	t := newTown("share", 3)
	t.sc.Services, t.sc.Timeline = nil, nil
	t.endpoints = t.sc.Network.Machines[0].Count
	for i := range together {
		name := fmt.Sprintf("app-%d", i+1)
		t.add(name, 6)
		if i < released {
			t.release(name)
		}
	}
	t.sc.Gateways[0].PortsPerEndpoint = sharedPorts
	t.roomFor(1)
	s, err := t.scene("share")
	if err != nil {
		return run{}, err
	}
	p, err := pilot.Open(s.world, s.plans()...)
	if err != nil {
		return run{}, err
	}
	waited := map[*pilot.Rollout]bool{}
	p.Watch = func(of *pilot.Rollout, _ rollout.Input, d rollout.Decision) {
		if d.Progress.Reason == rollout.WaitingForNat {
			waited[of] = true
		}
	}
	if err := fly(p, releaseAt, watched); err != nil {
		return run{}, err
	}
	r := run{waited: len(waited), scene: s, way: stepwise, released: s.world.Start.Add(releaseAt)}
	r.minutes = minutes(p.World(), firstRelease(p.World()))
	r.ends = s.ended(p.World(), p.Rollouts())
	return r, nil
}
