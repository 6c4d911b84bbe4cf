package nat

// Limit names what keeps a candidate from having more instances.
type Limit string

// The limits. Unlimited: nothing is known that would.
const (
	Unlimited      Limit = ""
	GatewayPorts   Limit = "the gateway's ports"
	SubnetFree     Limit = "the subnet's free addresses"
	CandidateMost  Limit = "the candidate's maximum of instances"
	ServiceMost    Limit = "the service's maximum of instances, divided by weight"
	InstancesQuota Limit = "the quota of instances per revision with Direct VPC egress"
)

// Forecast is a gateway at the peak after a step to a weight, with every number
// on the way to it. Endpoints are counted in blocks of Each ports.
type Forecast struct {
	Gateway string
	Weight  int64

	// Load is how many instances the whole traffic keeps busy, Needed how many
	// of them the candidate does at the weight, Peak how many it may have at
	// once, Has how many it has and Starts the difference.
	Load, Needed, Peak, Has, Starts int64

	// Each is how many ports a new endpoint gets. Capacity of the gateway, Kept
	// in reserve, and Room, the rest; Taken now, Adds by the step, Promised to
	// other rollouts.
	Each, Capacity, Kept, Room, Taken, Adds, Promised int64

	// Reserve is Kept in percent of Capacity.
	Reserve int64
	// Auto: the gateway takes further addresses by itself.
	Auto bool
	// Dynamic: ports are counted, and not endpoints.
	Dynamic bool
	// ExtraIPs is how many addresses it lacks already.
	ExtraIPs int64

	// Allowed is how many instances the candidate may have at once, and Bound
	// what binds first, whether the forecast fits or not.
	Allowed int64
	Bound   Limit
}

// Foresee forecasts a gateway at the peak after a step to a weight, 0..100.
func Foresee(g Gateway, f Fleet, p Policy, weight int64) Forecast {
	return Forecast{Gateway: g.Name, Weight: weight}
}

// Fits tells whether the step may be made. One that adds no instance always may.
func (f Forecast) Fits() bool { return f.Starts == 0 || f.Peak <= f.Allowed }

// Ports is how many ports the step may still take: the claim of its rollout on
// the gateway.
func (f Forecast) Ports() int64 { return f.Adds * f.Each }

// String writes the forecast in one clause.
func (f Forecast) String() string { return "" }

// LargestSafeWeight is the largest weight in (from, to] that every gateway can
// carry; 0 if there is none.
func LargestSafeWeight(gateways []Gateway, f Fleet, p Policy, from, to int64) int64 {
	return 0
}
