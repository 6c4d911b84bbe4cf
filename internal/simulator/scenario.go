package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// Scenario is the world at its beginning and what will happen in it unasked.
// Its fields name causes; none names an outcome.
type Scenario struct {
	// Seed decides everything that is left to chance.
	Seed uint64 `json:"seed,omitempty"`
	// Start is the simulated time at which the world begins.
	Start time.Time `json:"start,omitzero"`
	// Dated tells whether the scenario itself says when it begins.
	Dated bool `json:"-"`
	// Caller is the identity that API calls are made with.
	Caller string `json:"caller,omitempty"`
	// Accounts are those that it may act as.
	Accounts []Account `json:"accounts,omitempty"`
	Switches Switches  `json:"switches,omitzero"`
	Timing   Timing    `json:"timing,omitzero"`
	Services []Hosted  `json:"services,omitempty"`
	Gateways []Gateway `json:"gateways,omitempty"`
	// Network, if there is one, makes the world physical.
	Network  *Network `json:"network,omitempty"`
	Timeline []Moment `json:"timeline,omitempty"`
}

// Timing says how long Cloud Run takes.
type Timing struct {
	// Reconcile is the shortest time from an accepted write to its effect; up to
	// 600 ms are added by chance. Default 5.1s.
	Reconcile Duration `json:"reconcile,omitempty"`
	// Propagation is how long requests still follow the former split after
	// trafficStatuses shows the new one, fewer and fewer. Default 10s.
	Propagation *Duration `json:"propagation,omitempty"`
	// IdleRetention is how long an instance without requests is kept. Default 15m.
	IdleRetention Duration `json:"idleRetention,omitempty"`
	// EgressDelay is how long a new instance with Direct VPC egress waits for its
	// network, the median. Default 20s.
	EgressDelay *Duration `json:"egressDelay,omitempty"`
	// AddressRetention is how long a subnetwork misses the addresses of an instance
	// that ended. Default 20m.
	AddressRetention Duration `json:"addressRetention,omitempty"`
	// PortGrowth is how long dynamic allocation takes to double an endpoint's
	// ports. Default 5s.
	PortGrowth Duration `json:"portGrowth,omitempty"`
	// AutomaticAddress is how long a gateway takes to add an address. Default 10s.
	AutomaticAddress Duration `json:"automaticAddress,omitempty"`
	// RouterStatus is how old what routers report of their NATs is. Default 0s.
	RouterStatus Duration `json:"routerStatus,omitempty"`
}

// Hosted is a service that exists when the world begins.
type Hosted struct {
	Project     string            `json:"project"`
	Location    string            `json:"location"`
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Scaling     *ServiceScaling   `json:"scaling,omitempty"`
	// Ingress is who may call it. Default INGRESS_TRAFFIC_ALL.
	Ingress string `json:"ingress,omitempty"`
	// Users send requests to the service.
	Users Users `json:"users,omitzero"`
	// Revisions exist and are ready, oldest first. At least one.
	Revisions []Deployment `json:"revisions"`
	// Traffic is the split at the beginning. Default: 100 % to the latest.
	Traffic []TrafficTarget `json:"traffic,omitempty"`
	// Images says how revisions behave that are made from an image, whoever
	// deploys it. A deployment's own behaviour comes first.
	Images map[string]Behaviour `json:"images,omitempty"`
}

// Users is a population that sends requests at random moments.
type Users struct {
	RequestsPerSecond float64     `json:"requestsPerSecond,omitempty"`
	Changes           []UserLevel `json:"changes,omitempty"`
	// SessionLength is how long a user stays on average, which matters where
	// revisions have session affinity. Default 10m.
	SessionLength Duration `json:"sessionLength,omitempty"`
}

// UserLevel changes the rate some time after the world's beginning.
type UserLevel struct {
	At                Duration `json:"at"`
	RequestsPerSecond float64  `json:"requestsPerSecond"`
}

// Deployment is what somebody deploys: an image and how it is to be run. What
// is empty is inherited from the service's current template.
type Deployment struct {
	Image       string            `json:"image,omitempty"`
	Revision    string            `json:"revision,omitempty"`
	Env         map[string]string `json:"env,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	VPCAccess   *VPCAccess        `json:"vpcAccess,omitempty"`
	Scaling     *RevisionScaling  `json:"scaling,omitempty"`
	Timeout     string            `json:"timeout,omitempty"`
	Concurrency int               `json:"concurrency,omitempty"`
	// SessionAffinity and HealthCheckDisabled are the template's.
	SessionAffinity     *bool      `json:"sessionAffinity,omitempty"`
	HealthCheckDisabled *bool      `json:"healthCheckDisabled,omitempty"`
	Behaviour           *Behaviour `json:"behaviour,omitempty"`
	By                  string     `json:"by,omitempty"`
}

// Moment is something that happens at a time after the beginning.
type Moment struct {
	At           Duration     `json:"at"`
	Service      string       `json:"service,omitempty"`
	Deploy       *Deployment  `json:"deploy,omitempty"`
	EditTraffic  *TrafficEdit `json:"editTraffic,omitempty"`
	LoseRevision string       `json:"loseRevision,omitempty"`
	FailRevision string       `json:"failRevision,omitempty"`
	Users        *float64     `json:"users,omitempty"`
	Fault        *Fault       `json:"fault,omitempty"`
	ClearFaults  bool         `json:"clearFaults,omitempty"`
}

// TrafficEdit is a split that a person writes.
type TrafficEdit struct {
	Traffic []TrafficTarget `json:"traffic"`
	By      string          `json:"by,omitempty"`
}

// Duration is written like 90s, 5m or 1h30m.
type Duration time.Duration

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("reading duration %s: write it like \"90s\" or \"5m\"", b)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("reading duration: %w", err)
	}
	*d = Duration(parsed)
	return nil
}

// ParseScenario reads a scenario from YAML. Unknown fields are refused.
func ParseScenario(text []byte) (Scenario, error) {
	var sc Scenario
	if err := yaml.UnmarshalStrict(text, &sc); err != nil {
		return Scenario{}, fmt.Errorf("reading scenario: %w", err)
	}
	sc.Dated = !sc.Start.IsZero()
	return sc, sc.complete()
}

// defaultStart is a Monday morning.
var defaultStart = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// complete fills defaults and refuses what makes no sense.
func (s *Scenario) complete() error {
	if s.Start.IsZero() {
		s.Start = defaultStart
	}
	s.Start = s.Start.UTC().Truncate(time.Second)
	if s.Caller == "" {
		s.Caller = "sluice@example-project.iam.gserviceaccount.com"
	}
	s.Timing.complete()
	if err := checkAccounts(s.Accounts); err != nil {
		return err
	}
	if err := s.Switches.complete(); err != nil {
		return err
	}
	for i := range s.Services {
		if err := s.Services[i].check(); err != nil {
			return fmt.Errorf("services[%d]: %w", i, err)
		}
	}
	for i := range s.Gateways {
		if err := s.Gateways[i].complete(); err != nil {
			return fmt.Errorf("gateways[%d]: %w", i, err)
		}
	}
	if err := s.checkPhysics(); err != nil {
		return err
	}
	for i, m := range s.Timeline {
		if err := m.check(); err != nil {
			return fmt.Errorf("timeline[%d]: %w", i, err)
		}
	}
	return nil
}

func (t *Timing) complete() {
	t.Reconcile = cmp.Or(t.Reconcile, Duration(5100*time.Millisecond))
	t.IdleRetention = cmp.Or(t.IdleRetention, Duration(15*time.Minute))
	if t.Propagation == nil {
		d := Duration(10 * time.Second)
		t.Propagation = &d
	}
	if t.EgressDelay == nil {
		d := Duration(20 * time.Second)
		t.EgressDelay = &d
	}
}

func (h Hosted) check() error {
	if h.Project == "" || h.Location == "" || h.Name == "" {
		return fmt.Errorf("service %q: project, location and name are required", h.Name)
	}
	if len(h.Revisions) == 0 {
		return fmt.Errorf("service %s: revisions: name at least one that serves", h.Name)
	}
	for i, d := range h.Revisions {
		if i == 0 && d.Image == "" {
			return fmt.Errorf("service %s: revisions[0]: image is required", h.Name)
		}
		if err := d.check(); err != nil {
			return fmt.Errorf("service %s: revisions[%d]: %w", h.Name, i, err)
		}
	}
	for _, image := range slices.Sorted(maps.Keys(h.Images)) {
		if err := h.Images[image].check(); err != nil {
			return fmt.Errorf("service %s: images: %s: %w", h.Name, image, err)
		}
	}
	if h.Users.RequestsPerSecond < 0 {
		return fmt.Errorf("service %s: users: requestsPerSecond is negative", h.Name)
	}
	return nil
}

func (d Deployment) check() error {
	if d.Behaviour == nil {
		return nil
	}
	return d.Behaviour.check()
}

// check refuses a moment in which nothing or more than one thing happens.
func (m Moment) check() error {
	var said []string
	for name, set := range map[string]bool{
		"deploy": m.Deploy != nil, "editTraffic": m.EditTraffic != nil, "loseRevision": m.LoseRevision != "",
		"failRevision": m.FailRevision != "", "users": m.Users != nil, "fault": m.Fault != nil, "clearFaults": m.ClearFaults,
	} {
		if set {
			said = append(said, name)
		}
	}
	slices.Sort(said)
	if len(said) != 1 {
		return fmt.Errorf("write exactly one of deploy, editTraffic, loseRevision, failRevision, users, fault, "+
			"clearFaults; it has %d (%s)", len(said), strings.Join(said, ", "))
	}
	if m.Deploy != nil {
		return m.Deploy.check()
	}
	if m.Fault != nil {
		return m.Fault.check()
	}
	return nil
}
