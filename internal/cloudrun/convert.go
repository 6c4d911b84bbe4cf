package cloudrun

import (
	"errors"
	"fmt"
	"time"

	run "google.golang.org/api/run/v2"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// The enums of the API that are understood. Any other value is one that this
// program does not know, and is never taken for a good one.
const (
	toRevision = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
	toLatest   = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"

	conditionSucceeded = "CONDITION_SUCCEEDED"
	conditionFailed    = "CONDITION_FAILED"

	manualScaling = "MANUAL"

	egressPrivate     = "PRIVATE_RANGES_ONLY"
	egressUnspecified = "VPC_EGRESS_UNSPECIFIED"
)

// convertService reads an answer that must be the service asked for.
func convertService(ref rollout.ServiceRef, answer *run.GoogleCloudRunV2Service) (rollout.Service, error) {
	if answer == nil || lastPart(answer.Name) != ref.Name || answer.Uid == "" || answer.Etag == "" || answer.Generation <= 0 {
		return rollout.Service{}, errors.New("answer is not the service asked for")
	}
	service := rollout.Service{
		Presence:           rollout.Found,
		UID:                answer.Uid,
		Generation:         answer.Generation,
		ObservedGeneration: answer.ObservedGeneration,
		ETag:               answer.Etag,
		Reconciling:        answer.Reconciling,
		Failure:            failure(answer.TerminalCondition),
	}
	service.MinInstances, service.MaxInstances = scaling(answer.Scaling)
	service.Claim, service.ClaimUnread = claimOf(answer.Annotations)
	service.Annotations = othersOf(answer.Annotations)
	service.Modifier = answer.LastModifier
	service.Keeper, service.TemplateRevision = keeperOf(answer.Labels), revisionOf(answer.Template)
	service.Template = templateOf(answer.Template)
	var err error
	if service.Desired, err = desired(answer.Traffic); err != nil {
		return rollout.Service{}, err
	}
	if service.Effective, err = effective(answer.TrafficStatuses); err != nil {
		return rollout.Service{}, err
	}
	if service.LatestReady, err = shortRevision(answer.LatestReadyRevision); err != nil {
		return rollout.Service{}, err
	}
	if service.LatestCreated, err = shortRevision(answer.LatestCreatedRevision); err != nil {
		return rollout.Service{}, err
	}
	return service, nil
}

// scaling reads how many instances a service has at least and at most. With manual
// scaling it has as many as a person said, and minimum and maximum are ignored (run
// v2 discovery, ServiceScaling).
func scaling(s *run.GoogleCloudRunV2ServiceScaling) (least, most int64) {
	switch {
	case s == nil:
		return 0, 0
	case s.ScalingMode == manualScaling:
		return s.ManualInstanceCount, s.ManualInstanceCount
	}
	return s.MinInstanceCount, s.MaxInstanceCount
}

// desired reads what was asked for. An empty list means 100 % to the latest ready
// revision (run v2 discovery, Service.traffic).
func desired(list []*run.GoogleCloudRunV2TrafficTarget) ([]rollout.Entry, error) {
	if len(list) == 0 {
		return []rollout.Entry{{Latest: true, Percent: 100}}, nil
	}
	entries := make([]rollout.Entry, 0, len(list))
	for _, t := range list {
		if t == nil {
			return nil, errors.New("empty traffic entry")
		}
		entry, err := convertEntry(t.Type, rollout.Entry{Revision: t.Revision, Percent: t.Percent, Tag: t.Tag})
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// effective reads what serves. Nothing may serve yet.
func effective(list []*run.GoogleCloudRunV2TrafficTargetStatus) ([]rollout.Entry, error) {
	entries := make([]rollout.Entry, 0, len(list))
	for _, t := range list {
		if t == nil {
			return nil, errors.New("empty traffic entry")
		}
		entry, err := convertEntry(t.Type, rollout.Entry{Revision: t.Revision, Percent: t.Percent, Tag: t.Tag})
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// convertEntry settles an entry's target by its type. An entry that follows
// LATEST has no revision of its own, whatever was reported beside it.
func convertEntry(kind string, e rollout.Entry) (rollout.Entry, error) {
	if e.Percent < 0 || e.Percent > 100 {
		return rollout.Entry{}, fmt.Errorf("traffic of %d percent", e.Percent)
	}
	short, err := shortRevision(e.Revision)
	if err != nil {
		return rollout.Entry{}, err
	}
	switch {
	case kind == toLatest:
		e.Latest, e.Revision = true, ""
		return e, nil
	case kind == toRevision && short != "":
		e.Revision = short
		return e, nil
	}
	return rollout.Entry{}, fmt.Errorf("traffic entry of type %q for revision %q", google.Clean(kind), short)
}

// convertRevision reads an answer that must be the revision asked for.
func convertRevision(short string, answer *run.GoogleCloudRunV2Revision) (rollout.Revision, error) {
	if answer == nil {
		return rollout.Revision{}, errors.New("answer is empty")
	}
	if name, err := shortRevision(answer.Name); err != nil || name != short {
		return rollout.Revision{}, errors.New("answer is not the revision asked for")
	}
	created, err := time.Parse(time.RFC3339Nano, answer.CreateTime)
	if err != nil {
		return rollout.Revision{}, fmt.Errorf("creation time %q", google.Clean(answer.CreateTime))
	}
	timeout, err := duration(answer.Timeout)
	if err != nil {
		return rollout.Revision{}, fmt.Errorf("request timeout %q", google.Clean(answer.Timeout))
	}
	ready, why := readiness(answer.Conditions)
	provisioned, lacking := provisioning(answer.Conditions)
	var least, most int64
	if answer.Scaling != nil {
		least, most = answer.Scaling.MinInstanceCount, answer.Scaling.MaxInstanceCount
	}
	return rollout.Revision{
		Presence:  rollout.Found,
		Name:      short,
		CreatedAt: created.UTC(),
		Readiness: ready,
		Why:       why,
		Egress:    egress(answer.VpcAccess),
		VPC:       vpc(answer.VpcAccess),
		Timeout:   timeout,
		Image:     google.Clean(image(answer.Containers)),
		Template:  digestOf(answer.Annotations),

		MinInstances:    least,
		MaxInstances:    most,
		Provisioned:     provisioned,
		Lacking:         lacking,
		SessionAffinity: answer.SessionAffinity,
		CloudSQL:        socketOfCloudSQL(answer.Volumes),
		OwnURL:          ownURL(answer.Name, answer.Containers),
	}, nil
}

// readiness looks at the Ready condition alone: a revision without traffic is
// retired, which shows as Active=False and is healthy. A state that is neither
// success nor failure, also one that this program does not know, is Pending.
func readiness(conditions []*run.GoogleCloudRunV2Condition) (rollout.Readiness, string) {
	for _, c := range conditions {
		if c == nil || c.Type != "Ready" {
			continue
		}
		switch c.State {
		case conditionSucceeded:
			return rollout.Ready, ""
		case conditionFailed:
			return rollout.NotReady, explain(c)
		}
		return rollout.Pending, explain(c)
	}
	return rollout.Pending, ""
}

// provisioning tells whether a revision's own minimum of instances is there, and
// what Cloud Run says while it is not: MIN_INSTANCES_WARMING or
// MIN_INSTANCES_NOT_PROVISIONED. Only success is taken for it.
func provisioning(conditions []*run.GoogleCloudRunV2Condition) (done bool, lacking string) {
	for _, c := range conditions {
		if c == nil || c.Type != "MinInstancesProvisioned" {
			continue
		}
		if c.State == conditionSucceeded {
			return true, ""
		}
		return false, explain(c)
	}
	return false, ""
}

// failure is Cloud Run's reason for a last change that could not be applied.
func failure(c *run.GoogleCloudRunV2Condition) string {
	if c == nil || c.State != conditionFailed {
		return ""
	}
	if why := explain(c); why != "" {
		return why
	}
	return "no reason given"
}

// explain writes a condition's reason and message: "REASON: message".
func explain(c *run.GoogleCloudRunV2Condition) string {
	reason := c.Reason
	for _, other := range []string{c.RevisionReason, c.ExecutionReason, c.InstanceReason} {
		if reason == "" {
			reason = other
		}
	}
	switch {
	case reason == "":
		return google.Clean(c.Message)
	case c.Message == "":
		return google.Clean(reason)
	}
	return google.Clean(reason + ": " + c.Message)
}

// egress says which traffic takes the VPC. Without a setting the API's default
// is private ranges only; a setting that this program does not know counts as
// all traffic, because that is what asks for a watch over NAT.
func egress(access *run.GoogleCloudRunV2VpcAccess) rollout.Egress {
	if access == nil {
		return rollout.EgressNone
	}
	switch access.Egress {
	case "", egressUnspecified, egressPrivate:
		return rollout.EgressPrivate
	}
	return rollout.EgressAll
}

// vpc says where the traffic enters a VPC. A revision has one interface (run v2
// discovery, VpcAccess.networkInterfaces: "Currently only single network interface
// is supported"); of several nobody knows by which one the traffic leaves.
func vpc(access *run.GoogleCloudRunV2VpcAccess) rollout.VPCAccess {
	if access == nil {
		return rollout.VPCAccess{}
	}
	at := rollout.VPCAccess{Connector: google.Clean(access.Connector)}
	if len(access.NetworkInterfaces) == 1 && access.NetworkInterfaces[0] != nil {
		at.Network = google.Clean(access.NetworkInterfaces[0].Network)
		at.Subnetwork = google.Clean(access.NetworkInterfaces[0].Subnetwork)
	}
	return at
}

// image is the ingress container's: the one with a port, else the first.
func image(containers []*run.GoogleCloudRunV2Container) string {
	first := ""
	for _, c := range containers {
		if c == nil {
			continue
		}
		if len(c.Ports) > 0 {
			return c.Image
		}
		if first == "" {
			first = c.Image
		}
	}
	return first
}

// duration reads the JSON form of a protobuf duration: "300s", "3.5s".
func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, err
	}
	if d < 0 {
		return 0, errors.New("negative duration")
	}
	return d, nil
}
