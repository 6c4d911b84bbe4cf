package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

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
	runs, err := playAll(2, func(i int) (run, error) { return share([]int{1, together}[i]) })
	if err != nil {
		return t, nil, err
	}
	for _, r := range runs {
		f := r.figures()
		t.row(fmt.Sprintf("%d of %d", len(r.ends), together), strconv.Itoa(r.reached()), f.time(),
			fmt.Sprintf("%d of %d", f.endpoints, f.capacity/sharedPorts), strconv.Itoa(f.dropped), f.losses())
	}
	alone, all := runs[0].figures(), runs[1].figures()
	limit := time.Duration(mostTimeOf * together * float64(alone.took))
	return t, []claim{
		{
			text:  fmt.Sprintf("%d services released at once all reach 100%%", together),
			found: strconv.Itoa(runs[1].reached()),
			holds: runs[1].reached() == together,
		},
		{text: "no packet is dropped because of a step", found: strconv.Itoa(all.dropped), holds: all.dropped == 0},
		{
			text:  fmt.Sprintf("within %v times the time of one after another", mostTimeOf),
			found: fmt.Sprintf("%s, one takes %s", all.time(), alone.time()),
			holds: all.took > 0 && all.took <= limit,
		},
	}, nil
}

// sharedPorts is how many ports an endpoint gets in the world of five services.
const sharedPorts = 256

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

// share releases some of five services at once.
func share(released int) (run, error) {
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
	t.roomFor(1) // one address
	s, err := t.scene("share")
	if err != nil {
		return run{}, err
	}
	p, err := pilot.Open(s.world, s.plans()...)
	if err != nil {
		return run{}, err
	}
	if err := fly(p, releaseAt, longest); err != nil {
		return run{}, err
	}
	r := run{scene: s, way: stepwise, released: s.world.Start.Add(releaseAt)}
	r.minutes = minutes(p.World(), firstRelease(p.World()))
	r.ends = s.ended(p.World(), p.Rollouts())
	return r, nil
}
