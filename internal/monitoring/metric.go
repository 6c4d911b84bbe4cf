package monitoring

import (
	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// The monitored resources.
const (
	resourceRevision = "cloud_run_revision"
	resourceGateway  = "nat_gateway"
)

// The labels that are filtered or grouped by.
const (
	labelProject  = "resource.labels.project_id"
	labelLocation = "resource.labels.location"
	labelRegion   = "resource.labels.region"
	labelService  = "resource.labels.service_name"
	labelGateway  = "resource.labels.gateway_name"
	labelCode     = "metric.labels.response_code"
	labelState    = "metric.labels.state"

	groupResource = "resource.label."
	groupMetric   = "metric.label."

	keyProject  = "project_id"
	keyLocation = "location"
	keyRegion   = "region"
	keyService  = "service_name"
	keyRevision = "revision_name"
	keyRouter   = "router_id"
	keyGateway  = "gateway_name"
)

// metric says how one kind of measurement is asked for.
type metric struct {
	name     string // metric.type
	resource string // resource.type
	only     clause // a part of the metric's series; the zero clause is all
	aligner  monitoringpb.Aggregation_Aligner
	// label is the metric label that becomes Point.Label; needed says that a
	// series without it cannot be judged.
	label  string
	needed bool
	// histogram says that values are distributions instead of whole numbers.
	histogram bool
	// siblings says that the query also finds the other gateways of the region.
	siblings bool
}

// metrics is the whole of what is ever asked.
//
// Aligners are chosen to invent nothing in a gap: counts and distributions are
// summed, gauges take their largest sample, and booleans are counted. Each of
// these leaves a minute without samples without a point, which ALIGN_DELTA,
// ALIGN_RATE and ALIGN_INTERPOLATE do not (monitoringpb, Aggregation).
var metrics = map[analysis.Metric]metric{
	analysis.Requests: {
		name: "run.googleapis.com/request_count", resource: resourceRevision,
		aligner: monitoringpb.Aggregation_ALIGN_SUM,
		label:   "response_code_class", needed: true,
	},
	analysis.NotFound: {
		name: "run.googleapis.com/request_count", resource: resourceRevision, only: clause{labelCode, []string{"404"}},
		aligner: monitoringpb.Aggregation_ALIGN_SUM,
	},
	analysis.Latencies: {
		name: "run.googleapis.com/request_latencies", resource: resourceRevision,
		aligner: monitoringpb.Aggregation_ALIGN_SUM, histogram: true,
	},
	analysis.Instances: {
		name: "run.googleapis.com/container/instance_count", resource: resourceRevision,
		aligner: monitoringpb.Aggregation_ALIGN_MAX,
	},
	analysis.ActiveInstances: {
		name: "run.googleapis.com/container/instance_count", resource: resourceRevision, only: clause{labelState, []string{"active"}},
		aligner: monitoringpb.Aggregation_ALIGN_MAX,
	},
	analysis.Pending: {
		name: "run.googleapis.com/pending_queue/pending_requests", resource: resourceRevision,
		aligner: monitoringpb.Aggregation_ALIGN_MAX,
	},
	analysis.DroppedPackets: {
		name: "router.googleapis.com/nat/dropped_sent_packets_count", resource: resourceGateway,
		aligner: monitoringpb.Aggregation_ALIGN_SUM,
		label:   "reason",
	},
	analysis.AllocationFailed: {
		name: "router.googleapis.com/nat/nat_allocation_failed", resource: resourceGateway,
		aligner: monitoringpb.Aggregation_ALIGN_COUNT_TRUE,
	},
	analysis.AllocatedPorts: {
		name: "router.googleapis.com/nat/allocated_ports", resource: resourceGateway,
		aligner:  monitoringpb.Aggregation_ALIGN_MAX,
		siblings: true,
	},
	analysis.OpenConnections: {
		name: "router.googleapis.com/nat/open_connections", resource: resourceGateway,
		aligner: monitoringpb.Aggregation_ALIGN_MAX,
	},
}

func (m metric) locationLabel() string {
	if m.resource == resourceGateway {
		return labelRegion
	}
	return labelLocation
}

func (m metric) nameLabel() string {
	if m.resource == resourceGateway {
		return labelGateway
	}
	return labelService
}

// groupBy is what tells the sources of one query apart. Services of one name in
// two regions, revisions of one name in two services and gateways of one name in
// two routers stay series of their own.
func (m metric) groupBy() []string {
	keys := []string{keyProject, keyLocation, keyService, keyRevision}
	if m.resource == resourceGateway {
		keys = []string{keyProject, keyRegion, keyRouter, keyGateway}
	}
	var fields []string
	for _, key := range keys {
		fields = append(fields, groupResource+key)
	}
	if m.label != "" {
		fields = append(fields, groupMetric+m.label)
	}
	return fields
}

// placeOf reads where a series was measured, and at which of the things of that
// name: a revision of the service or a router of the gateway. Both are empty
// where the labels do not say.
func (m metric) placeOf(labels map[string]string) (at place, part string) {
	if m.resource == resourceGateway {
		return place{labels[keyRegion], labels[keyGateway]}, labels[keyRouter]
	}
	return place{labels[keyLocation], labels[keyService]}, labels[keyRevision]
}
