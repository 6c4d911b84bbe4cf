package fleet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// Fleet is all instances and machines of a world. It is not safe for concurrent
// use.
type Fleet struct {
	Network *network.Network

	timing    Timing
	luck      *rand.Rand
	start     time.Time
	second    int     // since the start; the one that is being lived
	now       float64 // the same
	revisions []*Revision
	post      []letter
	awake     []*instance // have something to do in this second, outside their turn
	called    []*Revision // have requests to hand out
}

// Connector is a Serverless VPC Access connector: a few machines that the instances
// of many services share.
type Connector struct{ endpoint *network.Endpoint }

// New begins a fleet.
func New(n *network.Network, start time.Time, t Timing, luck *rand.Rand) *Fleet {
	return &Fleet{Network: n, timing: t, luck: luck, start: start}
}

// NewConnector puts a connector's machines into a subnet.
func (f *Fleet) NewConnector(subnet network.SubnetKey, machines int) (*Connector, error) {
	e, err := f.Network.AttachMachines(subnet, machines)
	if err != nil {
		return nil, fmt.Errorf("connector: %w", err)
	}
	return &Connector{e}, nil
}

// NewService makes a service without revisions.
func (f *Fleet) NewService(name string) *Service { return &Service{Name: name, took: 0.1} }

// Add adds a revision without instances to a service.
func (f *Fleet) Add(s *Service, spec Spec) *Revision {
	r := &Revision{Spec: spec, Service: s, fleet: f, Limits: Limits{Max: 100}}
	r.compile()
	f.revisions = append(f.revisions, r)
	return r
}

// AddMachines adds a group of machines, which serve from now on.
func (f *Fleet) AddMachines(spec Spec) (*Revision, error) {
	r := f.Add(nil, spec)
	r.Concurrency = mostAtMachines * spec.Machines
	r.Prewarm(1)
	if r.instances[0].endpoint == nil {
		return nil, fmt.Errorf("machines %s: subnet %s has no place for %d of them", spec.Name, spec.Exit.Subnet.Name, spec.Machines)
	}
	return r, nil
}

// mostAtMachines is how many requests a machine has at once; chosen, so high that
// the network is what limits it.
const mostAtMachines = 10_000

// Begin begins the second that lasts until t. The owner then brings requests, and
// calls [Fleet.Run].
func (f *Fleet) Begin(t time.Time) {
	f.second = int(t.Sub(f.start)/time.Second) - 1
	f.now = float64(f.second)
	f.Network.Tick(t.Add(-time.Second))
	for _, r := range f.revisions {
		for _, i := range r.instances {
			i.used = 0
			i.age()
			if len(i.cohorts) > 0 {
				f.wake(i)
			}
		}
		if r.queued > 0 {
			f.callUp(r)
		}
	}
}

// Run lives the second.
func (f *Fleet) Run() {
	for _, r := range f.revisions {
		r.browse()
	}
	f.settle()
	for _, r := range f.revisions {
		r.giveUp()
		r.observe()
	}
	f.settle() // callers hear of requests that were refused
	for _, r := range f.revisions {
		for _, i := range r.instances {
			i.rest()
		}
		r.scale()
	}
	f.settle() // connections that new instances open
}

// mostTurns bounds what a second can hold of calls between services; what is left
// then goes on in the next.
const mostTurns = 64

// settle lets instances, post and queues work until nobody has anything left to do.
func (f *Fleet) settle() {
	for range mostTurns {
		if len(f.awake) == 0 && len(f.called) == 0 && len(f.post) == 0 {
			return
		}
		for _, i := range f.drain() {
			i.run()
		}
		f.deliver()
		called := f.called
		f.called = nil
		for _, r := range called {
			r.dispatch()
		}
	}
}

// drain takes the instances that wait for their turn.
func (f *Fleet) drain() []*instance {
	list := f.awake
	f.awake = nil
	for _, i := range list {
		i.queued = false
	}
	return slices.DeleteFunc(list, func(i *instance) bool { return i.state == over })
}

// wake gives an instance a turn in this second.
func (f *Fleet) wake(i *instance) {
	if !i.queued {
		i.queued = true
		f.awake = append(f.awake, i)
	}
}

// callUp lets a revision hand out its requests in this second.
func (f *Fleet) callUp(r *Revision) {
	if !slices.Contains(f.called, r) {
		f.called = append(f.called, r)
	}
}

func (f *Fleet) forget(r *Revision) {
	f.revisions = slices.DeleteFunc(f.revisions, func(o *Revision) bool { return o == r })
}
