package simulator

import (
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// Minute is the truth about one minute of a physical world, for plots and tables.
type Minute struct {
	// End is the end of the minute. What counts instances, ports and addresses says
	// how it is then.
	End         time.Time        `json:"end"`
	Revisions   []RevisionMinute `json:"revisions,omitempty"`
	Machines    []MachinesMinute `json:"machines,omitempty"`
	Gateways    []GatewayMinute  `json:"gateways,omitempty"`
	Subnetworks []SubnetMinute   `json:"subnetworks,omitempty"`
}

// RevisionMinute is a revision in one minute.
type RevisionMinute struct {
	Service  string `json:"service"` // full name
	Revision string `json:"revision"`
	Tally
	// FetchFailed and TimedOut are those of the failed that ended with 500 and 504,
	// NotFound those that ended with 404.
	FetchFailed int `json:"fetchFailed,omitempty"`
	TimedOut    int `json:"timedOut,omitempty"`
	NotFound    int `json:"notFound,omitempty"`
	// Active, Idle and Starting are instances; those that start are active, too.
	Active   int `json:"active,omitempty"`
	Idle     int `json:"idle,omitempty"`
	Starting int `json:"starting,omitempty"`
	// Waiting requests have no instance yet, Running ones have.
	Waiting int `json:"waiting,omitempty"`
	Running int `json:"running,omitempty"`
}

// MachinesMinute is a group of machines in one minute.
type MachinesMinute struct {
	Name string `json:"name"`
	Tally
}

// GatewayMinute is a NAT gateway in one minute.
type GatewayMinute struct {
	Name string `json:"name"`
	// Allocated ports, of Capacity.
	Allocated int `json:"allocated"`
	Capacity  int `json:"capacity"`
	// Endpoints have ports, Without have none and wait for some.
	Endpoints int `json:"endpoints"`
	Without   int `json:"without,omitempty"`
	// Dropped packets found no port. AllocationFailed says that there was no
	// address for an endpoint.
	Dropped          int  `json:"dropped,omitempty"`
	AllocationFailed bool `json:"allocationFailed,omitempty"`
	Open             int  `json:"open,omitempty"`
	Opened           int  `json:"opened,omitempty"`
	// PortUsage is the most connections that an endpoint has to a destination.
	PortUsage int `json:"portUsage,omitempty"`
}

// SubnetMinute is how full a subnetwork is.
type SubnetMinute struct {
	Name string `json:"name"`
	// Used addresses are taken, among them Retained ones by instances that ended;
	// Cloud Run takes them in blocks of 16.
	Used     int `json:"used"`
	Retained int `json:"retained,omitempty"`
	Usable   int `json:"usable"`
}

// Minutes are the minutes of a physical world with an end in (from, to], oldest
// first. A world without a network has none.
func (w *World) Minutes(from, to time.Time) []Minute {
	if w.plant == nil {
		return nil
	}
	all := w.plant.minutes
	first, _ := slices.BinarySearchFunc(all, from, func(m Minute, t time.Time) int {
		if m.End.After(t) {
			return 1
		}
		return -1
	})
	last, _ := slices.BinarySearchFunc(all, to, func(m Minute, t time.Time) int {
		if m.End.After(t) {
			return 1
		}
		return -1
	})
	return slices.Clone(all[first:max(first, last)])
}

// keepMinute notes the minute that ends now.
func (w *World) keepMinute(end time.Time) {
	p := w.plant
	m := Minute{End: end, Revisions: w.revisionMinutes()}
	for _, g := range p.machines {
		m.Machines = append(m.Machines, MachinesMinute{g.Name, g.minute})
		g.minute = Tally{}
	}
	status := p.net.Status()
	for i, g := range status.Gateways {
		m.Gateways = append(m.Gateways, gatewayMinute(w.scenario.Gateways[i].Name, p.gateways[i], g))
	}
	for _, s := range status.Subnets {
		m.Subnetworks = append(m.Subnetworks, SubnetMinute{
			Name: s.Name, Used: s.Usable - s.Free, Retained: s.Retained, Usable: s.Usable,
		})
	}
	p.minutes = append(p.minutes, m)
}

func (w *World) revisionMinutes() []RevisionMinute {
	var all []RevisionMinute
	for _, s := range w.services {
		for _, r := range slices.Concat(s.gone, s.revisions) {
			c := r.hosted.Counts()
			m := RevisionMinute{
				Service: s.Name, Revision: r.name, Tally: r.life.minute.tally,
				Active: c.Active, Idle: c.Idle, Starting: c.Starting, Waiting: c.Waiting, Running: c.Running,
			}
			for _, code := range r.life.minute.codes {
				switch code.code {
				case 500:
					m.FetchFailed = code.count
				case 504:
					m.TimedOut = code.count
				case 404:
					m.NotFound = code.count
				}
			}
			if m != (RevisionMinute{Service: s.Name, Revision: r.name}) {
				all = append(all, m)
			}
		}
	}
	return all
}

func gatewayMinute(name string, m network.GatewayMinute, s network.GatewayStatus) GatewayMinute {
	g := GatewayMinute{
		Name: name, Allocated: s.Allotted, Capacity: s.Capacity, Endpoints: s.Mapped, Without: s.Waiting,
		Dropped: m.OutOfResources + m.IndependenceConflict, AllocationFailed: m.AllocationFailed,
		Open: m.Open, Opened: m.Opened, PortUsage: m.PortUsage,
	}
	return g
}
