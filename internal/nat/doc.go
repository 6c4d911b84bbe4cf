// Package nat does the arithmetic of Cloud NAT: what a gateway holds, what a
// step of a rollout adds to it, which weight it can still carry, whose turn it
// is, who is to blame when it runs out, and how to go back without making it
// worse.
//
// It is pure: no I/O, no clock, no log. Equal arguments give equal answers.
//
// # The formula
//
// A gateway gives every endpoint a block of source ports. One address has
// 64,512 of them for each protocol, and a block is a power of two:
//
//	capacity = IPs × floor(64,512 / ports per endpoint)
//	room     = capacity − ceil(capacity × reserve percent / 100)
//	taken    = max(endpoints of the router's status, ceil(allocated ports / ports per endpoint))
//	needed   = ceil(instances that the whole traffic keeps busy × weight / 100)
//	peak     = max(has + ceil(max(0, needed − has) × overshoot), minimum instances)
//	grown    = 1; with dynamic ports max(1, average ports of an endpoint now / ports per endpoint)
//	adds     = max(0, peak − has) × endpoints per instance × grown
//	worst    = adds; 3 times what is started for (needed − has), where needed × 60 / 100 > has
//
// A step fits when it adds nothing, or when there is room for what it adds beside the
// reserve, and for what it adds at worst with it:
//
//	taken + adds + promised to other rollouts ≤ room
//	taken + worst + promised to other rollouts ≤ capacity
//
// The reserve is there for what a forecast misses. That does not grow with the gateway
// but with the step, so that a share of a small gateway is not enough of it. The
// autoscaler keeps instances at 60 % of their concurrency: a candidate takes up to 1.67
// times its load with the instances that it has while others start. What is beyond
// that goes to new instances, which are slow to reach the network, or waits for them;
// both count as load, and more instances are started for it. With a reserve of 0 %
// nothing is kept for that either.
//
// Nothing is subtracted for stable: its instances linger for up to 15 minutes
// after their traffic has gone, and Direct VPC keeps their addresses for up to
// 20 minutes more. Instances that have gone are gone from what is taken, which
// is measured.
//
// With dynamic port allocation a block is the least that an endpoint gets, and
// what is taken are the ports that are allocated. A new endpoint is foreseen with as
// many ports as those that there are have on average, at most maxPortsPerVm: it gets
// the least of them at first, and grows as they did. The average is not rounded up to a
// power of two: of two endpoints of an instance one may grow alone. A gateway that takes further
// addresses by itself is not limited by those it has; it drops packets while it
// grows, so a step still waits for its turn and for evidence.
//
// # Parameters
//
// [Policy] holds what is chosen or not known: the reserve, 20 % by default; the
// overshoot of the autoscaler, 2; and how many endpoints an instance is. [Fleet]
// holds what is known of the service: its instances, their minimum and maximum,
// and the subnet that they take addresses from.
//
// The instances that the traffic keeps busy are measured. They are not worked out
// from the request rate, its latency and the concurrency: Cloud Run does that
// sum itself, with the load of the processor in it, and what it comes to is what
// Cloud Monitoring counts as active.
//
// The quotas of instances have no parameter of their own. Cloud Run refuses a revision
// whose maximum of instances is above what the quotas of its project and region allow,
// and names the number ("Max instances must be set to 200 or fewer"): the candidate's
// maximum, which is a limit here, is within them. Whether that is so of the quota with
// Direct VPC egress, 100 to 200 per revision by region, no page says, and no API that
// is asked here tells it.
//
// # The subnet
//
// An instance with Direct VPC egress takes two addresses of its subnet, and Cloud
// Run reserves them in blocks of 16. A step fits the subnet when what it starts
// takes no more whole blocks than are free. Where only the size of the subnet is
// known, our own instances are what is taken at least.
//
// # Doubts
//
// Nobody has compared these with the real service.
//
//   - Whether an instance is one endpoint or two. Direct VPC egress takes two
//     addresses per instance; how ports are mapped to an instance is not
//     documented. Policy.EndpointsPerInstance says which is assumed.
//   - Whether the addresses that are kept after an instance has ended hold
//     ports. If they do they are endpoints of the router's status and so counted
//     as taken; if they do not they are not. Neither needs a parameter here.
//   - Whether an address's ports are given in pieces that leave gaps. The formula
//     rounds down per address for static allocation and cannot for dynamic.
//   - Whether new endpoints grow as those that there are have. They may be others'; and
//     where the candidate's instances are given more traffic and none is started, they
//     grow by what no formula here has. The reserve is there for it.
//   - NAT rules allocate for themselves; a gateway with rules is seen as one, and
//     a forecast of it says so.
//   - Whether the free addresses that Compute tells of a subnet are without those
//     that Cloud Run has reserved. What our own instances take is counted in any
//     case.
//
// # Sources
//
// Cloud NAT: docs nat/ports-and-addresses (64,512 ports, powers of two, 64 by
// default), compute v1 RouterNat (minPortsPerVm, maxPortsPerVm, 32 by default
// with dynamic allocation, tcpTimeWaitTimeoutSec), docs nat/troubleshooting
// (packets are dropped while the number of ports is increased). Cloud Run: docs
// run/configuring/vpc-direct-vpc (two addresses per instance, blocks of 16, kept
// for 20 minutes, quota per revision), docs run/about-instance-autoscaling
// (60 % of the concurrency, normally less than twice the maximum, idle for at most 15
// minutes), run v2 ServiceScaling (counts divided by weight). Quotas:
// jspsych/datapipe#238, googlecodelabs/feedback#1856.
package nat
