package fleet

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// Spec says how the instances of a revision run and what they do. Durations are in
// seconds here and below.
type Spec struct {
	// Name is for messages, Build tells one image from another.
	Name, Build string
	// Concurrency is how many requests an instance has at once, Timeout how long
	// each may take.
	Concurrency int
	Timeout     float64
	Exit        Exit
	// ReadyAfter is how long the container takes to listen, Probe how long the
	// startup probe waits for that.
	ReadyAfter, Probe float64
	// Fails makes the container never listen.
	Fails bool
	// Latency is an instance's own work for a request, Spread how widely it scatters.
	Latency, Spread float64
	// Calls are what it calls for a request, one after the other.
	Calls []Call
	// Opens are the connections that it opens when it starts.
	Opens []Open
	// Sticky keeps the requests of a browser with the revision.
	Sticky bool
	// Assets is how many further files the browser asks for with each page, Shared
	// tells that every build can serve those of another.
	Assets int
	Shared bool
	// Machines makes it a fixed number of machines that run for ever.
	Machines int
}

// Exit is what an instance's connections leave through. The zero value is Cloud
// Run's own way to the internet, which knows no ports.
type Exit struct {
	// Egress decides what goes into the VPC network; empty: nothing.
	Egress network.Egress
	// Subnet is where instances or machines have their addresses.
	Subnet network.SubnetKey
	// Connector, if not nil, takes the place of addresses of their own.
	Connector *Connector
}

// direct tells whether instances have addresses in a subnet.
func (e Exit) direct() bool { return e.Egress != "" && e.Connector == nil }

// Call is something that a request calls.
type Call struct {
	Target Target
	// PerRequest is how often, on average.
	PerRequest float64
	// Timeout is how long the client waits for a connection, each time.
	Timeout float64
	// Retries is how often it begins again after that.
	Retries int
	// KeepAlive keeps connections for later calls, at most Pool where that is not 0.
	KeepAlive bool
	Pool      int
}

// Target is the other end of a call.
type Target struct {
	Name string
	// Host is the destination in the network, Path the way there.
	Host network.DestinationID
	Path network.Path
	// Latency is how long the other end takes. Of a service it follows from what
	// the service does.
	Latency float64
	// Service is the one whose public URL is called, if it is one.
	Service *Service
	// Local is a call to 127.0.0.1: the instance does the work itself.
	Local bool
}

// Open is a number of connections that an instance opens when it starts.
type Open struct {
	Call
	Connections int
	// Required makes the container listen only when they are open.
	Required bool
}

// Outcome is one way for a request's own work to end; the last of several is the
// healthy one.
type Outcome struct {
	Share   float64
	Code    int
	Latency float64
	Spread  float64
}

// Timing are the amounts of time that Cloud Run takes.
type Timing struct {
	// Idle is how long an instance without requests is kept.
	Idle time.Duration
	// Egress is the median of the time from an instance's start until its
	// connections through a subnet work.
	Egress time.Duration
}

// Limits bound the number of a revision's instances.
type Limits struct{ Min, Max int }
