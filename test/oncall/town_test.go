package oncall_test

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	project = "acme-prod"
	region  = "asia-northeast1"

	healthy = "api:2"
	failing = "api:failing"
	thirsty = "api:thirsty"
)

var (
	dusk = time.Date(2026, 11, 26, 2, 40, 0, 0, time.UTC)
	api  = client.ObjectKey{Namespace: "pay", Name: "api"}
	web  = client.ObjectKey{Namespace: "shop", Name: "web"}
)

// town is two services behind one gateway, and their rollouts.
type town struct {
	scenario simulator.Scenario
	rollouts []*v1alpha1.CloudRunRollout
}

func newTown() *town {
	there := &town{scenario: simulator.Scenario{
		Seed: 1, Start: dusk, Caller: "ci@acme-prod.iam.gserviceaccount.com",
		Gateways: []simulator.Gateway{{
			Project: project, Region: region, Router: "r1", Name: "prod-nat", Network: "shared", IPs: []string{"203.0.113.10"},
			AllocatedPorts: 6400, OpenConnections: 900,
		}},
	}}
	for _, key := range []client.ObjectKey{api, web} {
		there.scenario.Services = append(there.scenario.Services, hosted(key.Name))
		there.rollouts = append(there.rollouts, rolloutOf(key))
	}
	return there
}

func hosted(name string) simulator.Hosted {
	return simulator.Hosted{
		Project: project, Location: region, Name: name, Users: simulator.Users{RequestsPerSecond: 20},
		Revisions: []simulator.Deployment{{Image: "api:1", Revision: name + "-00041", VPCAccess: &simulator.VPCAccess{
			Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Network: "shared", Subnetwork: "run"}},
		}}},
		Traffic: []simulator.TrafficTarget{{Revision: name + "-00041", Percent: 100}},
		Images: map[string]simulator.Behaviour{
			healthy: {},
			failing: {Errors: []simulator.ErrorRate{{Percent: 5, AbovePercent: 10}}},
			thirsty: {},
		},
	}
}

func rolloutOf(key client.ObjectKey) *v1alpha1.CloudRunRollout {
	ro := &v1alpha1.CloudRunRollout{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: project, Location: region, Name: key.Name}
	ro.Spec.Strategy.Pacing = v1alpha1.PacingFixed // the gateway is not what these are about
	ro.Spec.Strategy.Steps = []v1alpha1.Step{{Weight: 5, Bake: "3m"}, {Weight: 25, Bake: "5m"}, {Weight: 100, Bake: "5m"}}
	return ro
}

// dropping lets the gateway drop packets for what images get beyond 10 %, or whatever
// happens where none is named.
func dropping(image string, from time.Duration) func(*town) {
	return func(there *town) {
		drop := simulator.Drop{Interval: simulator.Interval{From: simulator.Duration(from)}, PacketsPerMinute: 60}
		if image != "" {
			drop = simulator.Drop{Image: image, AbovePercent: 10, PacketsPerMinutePerPercent: 4}
		}
		there.scenario.Gateways[0].Drops = append(there.scenario.Gateways[0].Drops, drop)
	}
}

// gated waits for a person before 25 %.
func gated(there *town) {
	there.rollouts[0].Spec.Strategy.Steps[1].Approval = v1alpha1.ApprovalRequired
}
