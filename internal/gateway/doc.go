// Package gateway finds the Cloud NAT that a service's traffic leaves through,
// and reads what it can still give, in the core's words.
//
// Cloud Run says in which network and subnetwork a revision is. From there the
// way leads over the subnetwork (only where Cloud Run names no network) to the
// routers of its region, and among their NATs to the one that translates the
// primary addresses of that subnetwork for virtual machines, as which Cloud NAT
// sees the instances of Cloud Run. Of a Serverless VPC Access connector Cloud Run says
// the name, and the connector its subnetwork, or only its network where that one is
// hidden. Where more than one may do so nothing is
// guessed: a gateway that is watched in another's place hides an outage.
//
// It also reads how many addresses are left in the subnetworks of the revisions,
// which can run out before the gateway does. Without the permission for that
// everything else is told all the same.
//
// All rollouts share what is read: the routers of a project and region once in
// some minutes, a subnetwork once a minute, the status of a router every 15 seconds
// at most, in the quota of the project. What is old says so, and what is too old is not known.
//
// What the API does is taken from its discovery document (compute v1, revision
// 20261026, in google.golang.org/api v0.311.0), and from that of Serverless VPC
// Access (v1, in the same module).
package gateway
