package series

import (
	"slices"
	"strings"
	"time"
)

// Kind says what the values of a metric measure.
type Kind string

// Kinds of the modelled metrics.
const (
	Gauge Kind = "GAUGE"
	Delta Kind = "DELTA"
)

// Label describes one metric label. All modelled labels are strings.
type Label struct {
	Key         string
	Description string
}

// Descriptor describes a metric type.
type Descriptor struct {
	Type        string
	Kind        Kind
	ValueType   ValueType
	Unit        string
	DisplayName string
	Description string
	Labels      []Label
	// ResourceTypes are the monitored resources that it may be written against.
	ResourceTypes []string
	// SamplePeriod is the time between two points.
	SamplePeriod time.Duration
	// IngestDelay is the age from which on a point can be relied on to be there.
	IngestDelay time.Duration
}

// Metric types that the store knows.
const (
	RequestCount        = "run.googleapis.com/request_count"
	RequestLatencies    = "run.googleapis.com/request_latencies"
	InstanceCount       = "run.googleapis.com/container/instance_count"
	PendingRequests     = "run.googleapis.com/pending_queue/pending_requests"
	AllocationFailed    = "router.googleapis.com/nat/nat_allocation_failed"
	DroppedSentPackets  = "router.googleapis.com/nat/dropped_sent_packets_count"
	AllocatedPorts      = "router.googleapis.com/nat/allocated_ports"
	OpenConnections     = "router.googleapis.com/nat/open_connections"
	PortUsage           = "router.googleapis.com/nat/port_usage"
	NewConnectionsCount = "router.googleapis.com/nat/new_connections_count"
)

// Monitored resource types of those metrics.
const (
	ResourceRevision = "cloud_run_revision"
	ResourceInstance = "cloud_run_instance"
	ResourceGateway  = "nat_gateway"
)

// resourceLabels are the labels of each monitored resource type
// [facts/cloud-run-and-nat.md 3.2 and 4].
var resourceLabels = map[string][]string{
	ResourceRevision: {"project_id", "service_name", "revision_name", "location", "configuration_name"},
	ResourceInstance: {"project_id", "instance_name", "location"},
	ResourceGateway:  {"project_id", "region", "router_id", "gateway_name"},
}

// gatewayDelay and its siblings are the documented times after which data is
// visible [facts/cloud-run-and-nat.md 3.2 and 4]. For request_count
// and request_latencies one source says 120 s and hearsay 180 s;
// [Store.SetIngestDelay] sets the other.
const (
	samplePeriod    = 60 * time.Second
	gatewayDelay    = 225 * time.Second
	allocationDelay = 120 * time.Second
	runDelay        = 120 * time.Second
)

func gatewayMetric(metricType string, kind Kind, unit, display string, labels ...Label) Descriptor {
	return Descriptor{
		Type: metricType, Kind: kind, ValueType: TypeInt64, Unit: unit, DisplayName: display,
		Labels: labels, ResourceTypes: []string{ResourceGateway},
		SamplePeriod: samplePeriod, IngestDelay: gatewayDelay,
	}
}

// runMetrics are those of Cloud Run.
func runMetrics() []Descriptor {
	codes := []Label{
		{"response_code", "Response code of the request."},
		{"response_code_class", "Class of the response code: 1xx to 5xx."},
	}
	requests := []string{ResourceRevision, ResourceInstance}
	revisions := []string{ResourceRevision}
	return []Descriptor{
		{
			Type: RequestCount, Kind: Delta, ValueType: TypeInt64, Unit: "1", DisplayName: "Request count",
			Description: "Number of requests that reached the revision, captured at the end of the request." +
				" Requests that no instance received are not counted.",
			Labels: codes, ResourceTypes: requests, SamplePeriod: samplePeriod, IngestDelay: runDelay,
		},
		{
			Type: RequestLatencies, Kind: Delta, ValueType: TypeDistribution, Unit: "ms", DisplayName: "Request latency",
			Description: "Distribution of the time from when a request reaches the running container to when it exits." +
				" The start of a container is not included.",
			Labels: codes, ResourceTypes: requests, SamplePeriod: samplePeriod, IngestDelay: runDelay,
		},
		{
			Type: InstanceCount, Kind: Gauge, ValueType: TypeInt64, Unit: "1", DisplayName: "Instance count",
			Description: "Number of container instances that exist, by state.",
			Labels:      []Label{{"state", "active or idle."}}, ResourceTypes: revisions,
			SamplePeriod: samplePeriod, IngestDelay: runDelay,
		},
		{
			Type: PendingRequests, Kind: Gauge, ValueType: TypeInt64, Unit: "1", DisplayName: "Pending requests",
			Description:   "Number of requests that wait for an instance.",
			ResourceTypes: revisions, SamplePeriod: samplePeriod, IngestDelay: runDelay,
		},
	}
}

// knownDescriptors returns what a new store starts with, in order of type.
func knownDescriptors() []Descriptor {
	protocol := Label{"ip_protocol", "Protocol of the connection: TCP, UDP or ICMP."}
	reason := Label{"reason", "OUT_OF_RESOURCES or ENDPOINT_INDEPENDENCE_CONFLICT."}
	natIP := Label{"nat_ip", "The NAT IP address."}
	failed := gatewayMetric(AllocationFailed, Gauge, "", "NAT allocation failed")
	failed.ValueType, failed.IngestDelay = TypeBool, allocationDelay
	failed.Description = "Whether NAT IP addresses could not be allocated for any VM."
	usage := gatewayMetric(PortUsage, Gauge, "{connection}", "Port usage", protocol)
	usage.Description = "Maximum number of connections from a VM to a single destination endpoint."
	ds := append(runMetrics(),
		failed, usage,
		gatewayMetric(DroppedSentPackets, Delta, "{packet}", "Sent packets dropped count", protocol, reason),
		gatewayMetric(AllocatedPorts, Gauge, "{port}", "Allocated ports", natIP),
		gatewayMetric(OpenConnections, Gauge, "{connection}", "Open connections", protocol),
		gatewayMetric(NewConnectionsCount, Delta, "{connection}", "New connection count", protocol),
	)
	slices.SortFunc(ds, func(a, b Descriptor) int { return strings.Compare(a.Type, b.Type) })
	return ds
}

// knows reports whether the metric has the label.
func (d Descriptor) knows(label string) bool {
	return slices.ContainsFunc(d.Labels, func(l Label) bool { return l.Key == label })
}

// knowsResource reports whether one of the metric's resources has the label.
func (d Descriptor) knowsResource(label string) bool {
	return slices.ContainsFunc(d.ResourceTypes, func(t string) bool {
		return slices.Contains(resourceLabels[t], label)
	})
}
