package simulator

import "maps"

// Values of the API that the world itself produces or reads.
const (
	AllocateLatest   = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
	AllocateRevision = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

	ConditionPending   = "CONDITION_PENDING"
	ConditionFailed    = "CONDITION_FAILED"
	ConditionSucceeded = "CONDITION_SUCCEEDED"

	serviceType   = "type.googleapis.com/google.cloud.run.v2.Service"
	ingressAll    = "INGRESS_TRAFFIC_ALL"
	launchStageGA = "GA"
)

// Service is a Cloud Run v2 service. Fields stand in the order in which the API
// prints them, which is that of their protobuf numbers.
type Service struct {
	Name                  string            `json:"name,omitempty"`
	Description           string            `json:"description,omitempty"`
	UID                   string            `json:"uid,omitempty"`
	Generation            int64             `json:"generation,omitempty,string"`
	Labels                map[string]string `json:"labels,omitempty"`
	Annotations           map[string]string `json:"annotations,omitempty"`
	CreateTime            Timestamp         `json:"createTime,omitzero"`
	UpdateTime            Timestamp         `json:"updateTime,omitzero"`
	Creator               string            `json:"creator,omitempty"`
	LastModifier          string            `json:"lastModifier,omitempty"`
	Client                string            `json:"client,omitempty"`
	ClientVersion         string            `json:"clientVersion,omitempty"`
	Ingress               string            `json:"ingress,omitempty"`
	LaunchStage           string            `json:"launchStage,omitempty"`
	Template              Template          `json:"template,omitzero"`
	Traffic               []TrafficTarget   `json:"traffic,omitempty"`
	Scaling               *ServiceScaling   `json:"scaling,omitempty"`
	InvokerIAMDisabled    bool              `json:"invokerIamDisabled,omitempty"`
	DefaultURIDisabled    bool              `json:"defaultUriDisabled,omitempty"`
	URLs                  []string          `json:"urls,omitempty"`
	ObservedGeneration    int64             `json:"observedGeneration,omitempty,string"`
	TerminalCondition     *Condition        `json:"terminalCondition,omitempty"`
	Conditions            []Condition       `json:"conditions,omitempty"`
	LatestReadyRevision   string            `json:"latestReadyRevision,omitempty"`
	LatestCreatedRevision string            `json:"latestCreatedRevision,omitempty"`
	TrafficStatuses       []TrafficStatus   `json:"trafficStatuses,omitempty"`
	URI                   string            `json:"uri,omitempty"`
	CustomAudiences       []string          `json:"customAudiences,omitempty"`
	Reconciling           bool              `json:"reconciling,omitempty"`
	Etag                  string            `json:"etag,omitempty"`
}

// TrafficTarget is one entry of the desired split.
type TrafficTarget struct {
	Type     string `json:"type,omitempty"`
	Revision string `json:"revision,omitempty"`
	Percent  int    `json:"percent,omitempty"`
	Tag      string `json:"tag,omitempty"`
}

// TrafficStatus is one entry of the split that serves.
type TrafficStatus struct {
	Type     string `json:"type,omitempty"`
	Revision string `json:"revision,omitempty"`
	Percent  int    `json:"percent,omitempty"`
	Tag      string `json:"tag,omitempty"`
	URI      string `json:"uri,omitempty"`
}

// ServiceScaling holds the instance counts that are divided among revisions.
type ServiceScaling struct {
	MinInstanceCount    int    `json:"minInstanceCount,omitempty"`
	ScalingMode         string `json:"scalingMode,omitempty"`
	MaxInstanceCount    int    `json:"maxInstanceCount,omitempty"`
	ManualInstanceCount *int   `json:"manualInstanceCount,omitempty"`
}

// Condition tells how far a resource has come.
type Condition struct {
	Type               string    `json:"type,omitempty"`
	State              string    `json:"state,omitempty"`
	Message            string    `json:"message,omitempty"`
	LastTransitionTime Timestamp `json:"lastTransitionTime,omitzero"`
	Severity           string    `json:"severity,omitempty"`
	Reason             string    `json:"reason,omitempty"`
	RevisionReason     string    `json:"revisionReason,omitempty"`
}

// clone copies everything a caller could change in place.
func (s Service) clone() Service {
	s.Labels = maps.Clone(s.Labels)
	s.Annotations = maps.Clone(s.Annotations)
	s.Traffic = append([]TrafficTarget(nil), s.Traffic...)
	s.TrafficStatuses = append([]TrafficStatus(nil), s.TrafficStatuses...)
	s.Conditions = append([]Condition(nil), s.Conditions...)
	if s.TerminalCondition != nil {
		c := *s.TerminalCondition
		s.TerminalCondition = &c
	}
	s.Template = s.Template.clone()
	return s
}
