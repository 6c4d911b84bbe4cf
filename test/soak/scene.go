package soak

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// The one service of a world, and who acts on it.
const (
	project  = "acme-prod"
	region   = "asia-northeast1"
	service  = "web"
	fullName = "projects/" + project + "/locations/" + region + "/services/" + service
	ours     = "sluice@acme-prod.iam.gserviceaccount.com"
	alice    = "alice@example.com"
	first    = "web-1" // the revision that serves at the beginning
	gateway  = "nat-1"
)

// Images that somebody may deploy.
const (
	Healthy   = "web:healthy"
	Failing   = "web:failing"   // every tenth request
	burdened  = "web:burdened"  // every fifth request, once it has half of the traffic
	thirsty   = "web:thirsty"   // its connections exhaust the NAT gateway
	stillborn = "web:stillborn" // its container never starts
	// Choking fails for some of its users once it has more than half of the traffic,
	// and its gateway drops packets then.
	Choking = "web:choking"
	// unlucky fails for some of its users while a neighbour has the gateway's last ports.
	unlucky = "web:unlucky"
)

// bursts is when a neighbour takes the last ports, counted from the world's beginning:
// while the first release bakes.
const bursts = settled + 4*time.Minute

// noticed is how long after that users fail: the metrics of requests are there sooner
// than those of gateways.
const noticed = 3 * time.Minute

// key is the name of the one object.
var key = types.NamespacedName{Namespace: "shop", Name: service}

// morning is when every world begins.
var morning = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// NAT is how a service's traffic leaves.
type NAT string

// The ways: not through a VPC; through one whose gateway the spec names; or whose
// gateway is found; or is named, and has no ports for further instances.
const (
	NoNAT    NAT = "none"
	NamedNAT NAT = "named"
	FoundNAT NAT = "found"
	FullNAT  NAT = "full"
)

// Setting is what a story begins with.
type Setting struct {
	Rate          float64 // requests a second
	FollowsLatest bool    // the service's traffic does, at first
	FromGit       bool    // the pipeline releases by spec.template
	Kept          bool    // Config Connector keeps the service, and the target is its RunService
	NAT           NAT
	Spec          Spec
	Switches      map[string]string // of the simulator, where not the default
	// Skew is how far each controller's clock is ahead of the world's.
	Skew [2]time.Duration
	// Lag is how long a change of the object takes to reach each controller.
	Lag [2]time.Duration
	// Latency is how long a call takes.
	Latency time.Duration
	// Burst is how long a neighbour has the gateway's last ports; 0 for no such neighbour.
	Burst time.Duration
	// Glances lets a controller look at lists before it reads live.
	Glances bool
}

// Spec is what the user asks for.
type Spec struct {
	Steps       []Step
	OnDelete    v1alpha1.OnDelete
	NoData      v1alpha1.NoDataAction
	MinRequests int32
	MaxPercent  int32 // of errors
}

// Step is a weight and the minutes for which it is held.
type Step struct {
	Weight, Bake int
	Approval     bool
}

// scenario is the world at its beginning.
func (s Setting) scenario(seed uint64) (simulator.Scenario, error) {
	sc := simulator.Scenario{
		Seed: seed, Start: morning, Caller: "terraform@acme-prod.iam.gserviceaccount.com",
		Services: []simulator.Hosted{{
			Project: project, Location: region, Name: service,
			Users:     simulator.Users{RequestsPerSecond: s.Rate},
			Revisions: []simulator.Deployment{{Image: Healthy, Revision: first, Timeout: "60s", VPCAccess: s.access()}},
			Traffic:   []simulator.TrafficTarget{{Revision: first, Percent: 100}},
			Images: map[string]simulator.Behaviour{
				Failing:  {Errors: []simulator.ErrorRate{{Percent: 10}}},
				burdened: {Errors: []simulator.ErrorRate{{Percent: 20, AbovePercent: 50}}},
				Choking:  {Errors: []simulator.ErrorRate{{Percent: 5, AbovePercent: 50}}},
				unlucky: {Errors: []simulator.ErrorRate{{
					Percent: 10, From: simulator.Duration(bursts + noticed - settled - releasedAfter), Until: simulator.Duration(bursts + s.Burst - settled - releasedAfter),
				}}},
				stillborn: {Startup: simulator.Startup{Fails: &simulator.StartupFailure{}}},
			},
		}},
	}
	if s.FollowsLatest {
		sc.Services[0].Traffic = nil
	}
	if s.NAT != NoNAT {
		sc.Gateways = []simulator.Gateway{{
			Project: "acme-net", Region: region, Router: "r1", RouterID: "4611686018427387904", Name: gateway, Network: "shared",
			AllocatedPorts: 6400, OpenConnections: 900,
			Drops: []simulator.Drop{{Image: thirsty, PacketsPerMinutePerPercent: 4}, {Image: Choking, PacketsPerMinutePerPercent: 4, AbovePercent: 50}},
		}}
	}
	if s.Burst > 0 {
		sc.Gateways[0].Drops = append(sc.Gateways[0].Drops, simulator.Drop{
			Interval:         simulator.Interval{From: simulator.Duration(bursts), Until: simulator.Duration(bursts + s.Burst)},
			PacketsPerMinute: 60,
		})
	}
	if s.NAT == FullNAT {
		sc.Gateways[0].IPs, sc.Gateways[0].PortsPerEndpoint = []string{"203.0.113.10"}, 16_384
	}
	for name, value := range s.Switches {
		if err := sc.Switches.Set(name, value); err != nil {
			return sc, err
		}
	}
	return sc, nil
}

func (s Setting) access() *simulator.VPCAccess {
	if s.NAT == NoNAT {
		return nil
	}
	return &simulator.VPCAccess{Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Network: "shared", Subnetwork: "run"}}}
}

// object is the rollout as a person applies it.
func (s Setting) object() *v1alpha1.CloudRunRollout {
	ro := &v1alpha1.CloudRunRollout{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	if s.Kept {
		ro.Spec.Target.RunServiceRef = &v1alpha1.RunServiceReference{Name: key.Name}
	} else {
		ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: project, Location: region, Name: service}
	}
	ro.Spec.Strategy.Pacing = v1alpha1.PacingFixed // nothing here says how many ports the gateway has
	if s.NAT == NamedNAT || s.NAT == FullNAT {
		ro.Spec.NAT.Gateways = []v1alpha1.Gateway{{Project: "acme-net", Region: region, Router: "r1", Name: gateway}}
	}
	s.Spec.onto(&ro.Spec)
	return ro
}

// onto writes what is asked for into a spec.
func (s Spec) onto(spec *v1alpha1.CloudRunRolloutSpec) {
	spec.Strategy.OnDelete = s.OnDelete
	spec.Analysis.OnNoData.Action = s.NoData
	spec.Strategy.StepDeadline, spec.Analysis.OnNoData.After = "23m", "10m"
	spec.Strategy.Steps = nil
	for _, step := range s.Steps {
		one := v1alpha1.Step{Weight: int32(step.Weight), Bake: v1alpha1.Duration(fmt.Sprintf("%dm", step.Bake))} //nolint:gosec // a percent
		if step.Approval {
			one.Approval = v1alpha1.ApprovalRequired
		}
		spec.Strategy.Steps = append(spec.Strategy.Steps, one)
	}
	spec.Analysis.Checks = []v1alpha1.Check{{
		Name:         v1alpha1.CheckErrors,
		ServerErrors: &v1alpha1.ServerErrors{MaxPercent: intstr.FromInt32(s.MaxPercent), MinRequests: s.MinRequests},
	}}
}
