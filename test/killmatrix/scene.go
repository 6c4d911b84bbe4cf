package killmatrix

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

const (
	project   = "acme-prod"
	region    = "asia-northeast1"
	service   = "web"
	fullName  = "projects/" + project + "/locations/" + region + "/services/" + service
	ours      = "sluice@acme-prod.iam.gserviceaccount.com"
	gateway   = "nat-1"
	stable    = "web-1"
	candidate = "web-2"
)

const (
	// settled is how long the world lives before the rollout is created, and
	// calm how long it is watched after its end.
	settled = 10 * time.Minute
	calm    = 3 * time.Minute
	// limit is how long a play may take; a reference takes half of that at most.
	limit = 90 * time.Minute
)

// downtimes are how long a killed controller's successor takes to start: the rest
// of a lease and the start of a process; or, because what a kill during and a
// kill after a call leave behind is the same, until somebody notices.
var downtimes = map[Kind]time.Duration{Before: 20 * time.Second, During: 20 * time.Second, After: 17 * time.Minute}

var morning = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// Scene is one release, what a person asks for on its way, and how it must end.
type Scene struct {
	Name  string
	image string
	ends  v1alpha1.Phase
	deeds []deed
}

// deed is a verb that a person asks for, or [claim], as soon as the stored status stands
// in a phase of a step. Each scene's deeds come one after the other, and lead to the same
// however long nobody hears them.
type deed struct {
	phase v1alpha1.Phase
	step  string
	verb  string
}

// claim is no verb: an object of another cluster puts its claim on the service in the
// place of ours.
const claim = "claim"

// Scenes are those that are played.
var Scenes = []Scene{
	{"healthy", "web:2", v1alpha1.PhaseCompleted, nil},
	{"bad", "web:3", v1alpha1.PhaseRolledBack, nil},
	{"promote-abort", "web:2", v1alpha1.PhaseRolledBack, []deed{
		{v1alpha1.PhaseBaking, "1/2", v1alpha1.VerbPromote}, {v1alpha1.PhaseBaking, "2/2", v1alpha1.VerbAbort},
	}},
	{"pause-undo", "web:2", v1alpha1.PhaseRolledBack, []deed{
		{v1alpha1.PhaseBaking, "1/2", v1alpha1.VerbPause},
		{v1alpha1.PhasePaused, "1/2", v1alpha1.VerbResume},
		{v1alpha1.PhaseCompleted, "2/2", v1alpha1.VerbUndo},
	}},
	{"retry", "web:3", v1alpha1.PhaseRolledBack, []deed{{v1alpha1.PhaseRolledBack, "1/2", v1alpha1.VerbRetry}}},
	{"adopt", "web:2", v1alpha1.PhaseCompleted, []deed{
		{v1alpha1.PhaseBaking, "1/2", claim}, {v1alpha1.PhaseIdle, "", v1alpha1.VerbAdopt},
	}},
}

// world is a service that follows LATEST, so that it must be pinned, behind one
// NAT gateway.
func (s Scene) world() simulator.Scenario {
	vpc := &simulator.VPCAccess{Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Network: "shared", Subnetwork: "run"}}}
	return simulator.Scenario{
		Seed: 7, Start: morning, Caller: ours,
		Services: []simulator.Hosted{{
			Project: project, Location: region, Name: service,
			Users:     simulator.Users{RequestsPerSecond: 20},
			Revisions: []simulator.Deployment{{Image: "web:1", Revision: stable, Timeout: "60s", VPCAccess: vpc}},
			Images: map[string]simulator.Behaviour{
				"web:3": {Errors: []simulator.ErrorRate{{Percent: 10}}},
			},
		}},
		Gateways: []simulator.Gateway{{
			Project: "acme-net", Region: region, Router: "r1", RouterID: "4611686018427387904", Name: gateway,
			AllocatedPorts: 6400, OpenConnections: 900,
		}},
	}
}

// steps is the plan of every scene: weight and minutes.
var steps = []invariants.Step{{Weight: 10, Bake: 2}, {Weight: 100, Bake: 2}}

// object is the rollout that a person applies, under a name that no other has.
func object(namespace string) *v1alpha1.CloudRunRollout {
	ro := &v1alpha1.CloudRunRollout{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "kill-"}}
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: project, Location: region, Name: service}
	for _, s := range steps {
		ro.Spec.Strategy.Steps = append(ro.Spec.Strategy.Steps, v1alpha1.Step{Weight: int32(s.Weight), Bake: "2m"}) //nolint:gosec // a percent
	}
	ro.Spec.NAT.Gateways = []v1alpha1.Gateway{{Project: "acme-net", Region: region, Router: "r1", Name: gateway}}
	ro.Spec.Strategy.Pacing = v1alpha1.PacingFixed // nothing here says how many ports the gateway has
	return ro
}

// plan is the same, for the invariants.
func plan(at time.Time) invariants.Plan {
	return invariants.Plan{
		At: invariants.At(at), Number: 1, Steps: steps, Gateways: []string{gateway},
		Errors:     &invariants.ErrorLimit{MaxRatio: 0.01, MinRequests: 100},
		Drops:      &invariants.DropLimit{MinMinutes: 2},
		Allocation: &invariants.AllocationLimit{},
	}
}
