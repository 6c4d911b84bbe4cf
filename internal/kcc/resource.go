package kcc

import "k8s.io/apimachinery/pkg/runtime/schema"

// Manager is the field manager that our applies own spec.traffic as.
const Manager = "sluice/traffic"

// connector is Config Connector's own field manager (pkg/k8s/constants.go). What it
// owns in spec it found in Cloud Run: it is nobody's intent.
const connector = "cnrm-controller-manager"

var (
	runServices = schema.GroupVersionResource{Group: "run.cnrm.cloud.google.com", Version: "v1beta1", Resource: "runservices"}
	clusters    = schema.GroupVersionResource{Group: "core.cnrm.cloud.google.com", Version: "v1beta1", Resource: "configconnectors"}
	contexts    = schema.GroupVersionResource{Group: "core.cnrm.cloud.google.com", Version: "v1beta1", Resource: "configconnectorcontexts"}
)

const kind = "RunService"

// The names that Config Connector's settings must have: there is one for the
// cluster, and at most one for a namespace.
const (
	clusterName = "configconnector.core.cnrm.cloud.google.com"
	contextName = "configconnectorcontext.core.cnrm.cloud.google.com"
)

// Annotations of a RunService.
const (
	stateIntoSpec = "cnrm.cloud.google.com/state-into-spec" // absent, or merge
	// actuationMode is of later versions than the other rules are taken from
	// (resourceactuation.go, DecideActuationMode).
	actuationMode = "cnrm.cloud.google.com/actuation-mode" // Reconciling, or Paused
)

// The values of those annotations and of the settings.
const (
	merge       = "merge"
	paused      = "Paused"
	reconciling = "Reconciling"
	namespaced  = "namespaced"
)

// The types of a traffic target (run v2 discovery).
const (
	toRevision = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
	toLatest   = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
)
