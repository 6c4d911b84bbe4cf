package simulator

import (
	"fmt"
	"strings"
	"time"
)

// World is a small world of Cloud Run services. It is not safe for concurrent
// use; package wire guards it. Its API methods are called by nobody in
// particular; [World.As] names a caller.
type World struct {
	API
	scenario   Scenario
	now        time.Time
	tick       time.Time // the last whole second that users have lived through
	lastStamp  time.Time
	agenda     agenda
	naming     dice // of uids and operations
	pace       dice // of Cloud Run
	services   []*service
	operations map[string]*operation
	faults     []*Fault
	reporter   reporter
	log        []Event
	plant      *plant // nil: behaviour is written down
	natReports []natReport
}

// New begins the world that a scenario describes.
func New(sc Scenario) (*World, error) {
	if err := sc.complete(); err != nil {
		return nil, err
	}
	w := &World{
		scenario:   sc,
		now:        sc.Start,
		tick:       sc.Start,
		naming:     newDice(sc.Seed, "names"),
		pace:       newDice(sc.Seed, "pace"),
		operations: map[string]*operation{},
		reporter:   newReporter(sc),
	}
	w.API = API{world: w, caller: Caller{Identity: sc.Caller}}
	if sc.Network != nil {
		var err error
		if w.plant, err = newPlant(sc); err != nil {
			return nil, err
		}
	}
	for _, h := range sc.Services {
		if err := w.host(h); err != nil {
			return nil, err
		}
	}
	if w.plant != nil {
		w.prewarm()
	}
	w.look(sc.Start)
	for _, m := range sc.Timeline {
		w.agenda.add(sc.Start.Add(time.Duration(m.At)), func() { w.happen(m) })
	}
	return w, nil
}

// Now is the simulated time.
func (w *World) Now() time.Time { return w.now }

// Start is the simulated time at which the world began.
func (w *World) Start() time.Time { return w.scenario.Start }

// Advance lets time pass.
func (w *World) Advance(d time.Duration) { w.AdvanceTo(w.now.Add(d)) }

// AdvanceTo lets time pass until t. It never goes back.
func (w *World) AdvanceTo(t time.Time) {
	for {
		second := w.tick.Add(time.Second)
		due, planned := w.agenda.next()
		switch {
		case planned && !due.After(t) && due.Before(second):
			w.carryOut()
		case !second.After(t):
			w.now = second
			w.live(second)
		case planned && !due.After(t):
			w.carryOut()
		default:
			if t.After(w.now) {
				w.now = t
			}
			return
		}
	}
}

func (w *World) carryOut() {
	if p, ok := w.agenda.take(); ok {
		if p.at.After(w.now) {
			w.now = p.at
		}
		p.do()
	}
}

// live is one second of everybody's life, the one that ends at second.
func (w *World) live(second time.Time) {
	w.tick = second
	if w.plant != nil {
		w.operate(second)
	} else {
		for _, s := range w.services {
			w.serve(s, second)
		}
	}
	w.look(second)
	if second.Unix()%60 == 0 {
		w.closeMinute(second)
	}
}

// stampNow is the current time for a write. Two writes never share one, because
// etags are made of it.
func (w *World) stampNow() Timestamp {
	t := w.now.Truncate(time.Microsecond)
	if !t.After(w.lastStamp) {
		t = w.lastStamp.Add(time.Microsecond)
	}
	w.lastStamp = t
	return stamp(t)
}

// find returns a service by its full name, or by its short one where that is
// unambiguous.
func (w *World) find(name string) (*service, error) {
	var found *service
	for _, s := range w.services {
		if s.Name == name {
			return s, nil
		}
		if s.name.Service != name {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("more than one service is called %q: use the full name", name)
		}
		found = s
	}
	if found == nil {
		return nil, fmt.Errorf("no service is called %q", name)
	}
	return found, nil
}

// findRevision returns a revision by its full name or its short one.
func (w *World) findRevision(name string) (*service, *revision, error) {
	short := shortName(name)
	for _, s := range w.services {
		if strings.Contains(name, "/") && !strings.HasPrefix(name, s.Name+"/") {
			continue
		}
		if r := s.revision(short); r != nil {
			return s, r, nil
		}
	}
	return nil, nil, fmt.Errorf("no revision is called %q", name)
}
