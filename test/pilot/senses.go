package pilot

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Senses is how a controller sees one service of a world: through the API of
// Cloud Run and through Monitoring, with what both keep from it.
type Senses struct {
	// Outlet, if set, tells how the revisions of an input leave their VPC.
	Outlet func(rollout.Input) rollout.Outlet
	// NoQueries is why queries of the user's own may not be asked; "" where they may.
	NoQueries string

	world  *simulator.World
	api    simulator.API
	name   string                   // of the service, in full
	delays map[string]time.Duration // by metric type, as its descriptor promises
	memory map[analysis.Series]remembered
	claim  *claim // nil without a memory
}

// NewSenses opens the eyes of a caller for a service.
func NewSenses(world *simulator.World, api simulator.API, of rollout.ServiceRef) (Senses, error) {
	s := Senses{world: world, api: api, name: FullName(of), delays: map[string]time.Duration{}}
	known, err := world.Series().Descriptors("")
	if err != nil {
		return s, fmt.Errorf("reading which metrics there are: %w", err)
	}
	for _, d := range known {
		s.delays[d.Type] = d.IngestDelay
	}
	return s, nil
}

// FullName is a service's name in the API.
func FullName(of rollout.ServiceRef) string {
	return fmt.Sprintf("projects/%s/locations/%s/services/%s", of.Project, of.Location, of.Name)
}

// Observe completes an input that has a plan, progress and a request with what a
// decision depends on.
func (s Senses) Observe(in rollout.Input) (rollout.Input, error) {
	in.Now = s.world.CallerNow().Truncate(time.Second)
	in.Revisions, in.Answers = map[string]rollout.Revision{}, analysis.Answers{}
	var err error
	if in.Service, err = s.Service(); err != nil {
		return in, err
	}
	if in.Service.Presence == rollout.Found {
		in.Service.Skew = s.world.Skew()
	}
	for _, name := range rollout.Involved(in.Plan, in.Progress, in.Service, in.Request) {
		if in.Revisions[name], err = s.Revision(name); err != nil {
			return in, err
		}
	}
	if s.Outlet != nil && len(rollout.Leaving(in)) > 0 {
		in.Outlet = s.Outlet(in)
	}
	for _, q := range rollout.Questions(in) {
		if in.Answers[q.Series], err = s.Answer(q, in.Now); err != nil {
			return in, err
		}
	}
	return in, nil
}

// Service reads the service.
func (s Senses) Service() (rollout.Service, error) {
	answer, err := s.api.GetService(s.name)
	if presence, detail, ok := absence(err); ok {
		return rollout.Service{Presence: presence, Detail: detail}, nil
	}
	if err != nil {
		return rollout.Service{}, err
	}
	return s.ReadService(answer), nil
}

// ReadService is what the API says of a service, in the core's words.
func (s Senses) ReadService(answer simulator.Service) rollout.Service {
	svc := rollout.Service{
		Presence: rollout.Found, UID: answer.UID, Generation: answer.Generation, ObservedGeneration: answer.ObservedGeneration,
		ETag: answer.Etag, Reconciling: answer.Reconciling,
		LatestReady: short(answer.LatestReadyRevision), LatestCreated: short(answer.LatestCreatedRevision),
		Modifier: answer.LastModifier, Template: answer.Template.Annotations[rollout.TemplateAnnotation],
	}
	svc.Claim, svc.Annotations = s.claimOf(answer.Annotations)
	if c := answer.TerminalCondition; c != nil && c.State == simulator.ConditionFailed {
		svc.Failure = strings.TrimPrefix(cmp.Or(c.Reason, c.RevisionReason)+": "+c.Message, ": ")
	}
	if answer.Scaling != nil {
		svc.MinInstances, svc.MaxInstances = int64(answer.Scaling.MinInstanceCount), int64(answer.Scaling.MaxInstanceCount)
	}
	for _, t := range answer.Traffic {
		svc.Desired = append(svc.Desired, entry(t.Type, t.Revision, t.Percent, t.Tag))
	}
	for _, t := range answer.TrafficStatuses {
		svc.Effective = append(svc.Effective, entry(t.Type, t.Revision, t.Percent, t.Tag))
	}
	return svc
}

func entry(kind, revision string, percent int, tag string) rollout.Entry {
	return rollout.Entry{Latest: kind == simulator.AllocateLatest, Revision: revision, Percent: int64(percent), Tag: tag}
}

// Revision reads a revision by its short name.
func (s Senses) Revision(name string) (rollout.Revision, error) {
	answer, err := s.api.GetRevision(s.name + "/revisions/" + name)
	if presence, _, ok := absence(err); ok {
		return rollout.Revision{Presence: presence, Name: name, Readiness: rollout.Pending}, nil
	}
	if err != nil {
		return rollout.Revision{Presence: rollout.Unknown, Name: name, Readiness: rollout.Pending, Why: err.Error()}, nil //nolint:nilerr // that it cannot be read is a fact about the revision
	}
	r := rollout.Revision{
		Presence: rollout.Found, Name: name, CreatedAt: answer.CreateTime.Time, Readiness: rollout.Pending,
		Egress: Egress(answer.VPCAccess), VPC: entrance(answer.VPCAccess), Image: answer.Containers[0].Image,
		SessionAffinity: answer.SessionAffinity, Template: answer.Annotations[rollout.TemplateAnnotation],
		OwnURL: s.ownURL(answer.Containers[0].Env),
	}
	if answer.Scaling != nil {
		r.MinInstances, r.MaxInstances = int64(answer.Scaling.MinInstanceCount), int64(answer.Scaling.MaxInstanceCount)
	}
	if r.Timeout, err = time.ParseDuration(answer.Timeout); err != nil {
		return r, fmt.Errorf("timeout %q: %w", answer.Timeout, err)
	}
	for _, c := range answer.Conditions {
		switch {
		case c.Type == "Ready" && c.State == simulator.ConditionSucceeded:
			r.Readiness = rollout.Ready
		case c.Type == "Ready" && c.State == simulator.ConditionFailed:
			r.Readiness, r.Why = rollout.NotReady, c.RevisionReason
		case c.Type == "MinInstancesProvisioned":
			r.Provisioned, r.Lacking = c.State == simulator.ConditionSucceeded, c.RevisionReason
		}
	}
	return r, nil
}

// ownURL is the name of the variable that holds the service's own public URL.
func (s Senses) ownURL(env []simulator.EnvVar) string {
	prefix := "https://" + s.name[strings.LastIndex(s.name, "/")+1:] + "-"
	for _, v := range env {
		if strings.HasPrefix(v.Value, prefix) && strings.HasSuffix(v.Value, ".run.app") {
			return v.Name
		}
	}
	return ""
}

// absence tells what is not there from what could not be read.
func absence(err error) (rollout.Presence, string, bool) {
	var refused *simulator.APIError
	switch {
	case !errors.As(err, &refused):
		return "", "", false
	case refused.Code == 404:
		return rollout.Missing, refused.Message, true
	case refused.Code == 403:
		return rollout.Denied, refused.Message, true
	}
	return "", "", false
}

// Egress reads which of a revision's traffic takes the VPC.
func Egress(access *simulator.VPCAccess) rollout.Egress {
	switch {
	case access == nil:
		return rollout.EgressNone
	case access.Egress == "ALL_TRAFFIC":
		return rollout.EgressAll
	}
	return rollout.EgressPrivate
}

// entrance reads where a revision's traffic enters the VPC.
func entrance(access *simulator.VPCAccess) rollout.VPCAccess {
	switch {
	case access == nil:
		return rollout.VPCAccess{}
	case access.Connector != "" || len(access.NetworkInterfaces) == 0:
		return rollout.VPCAccess{Connector: access.Connector}
	}
	return rollout.VPCAccess{Network: access.NetworkInterfaces[0].Network, Subnetwork: access.NetworkInterfaces[0].Subnetwork}
}

func short(name string) string { return name[strings.LastIndex(name, "/")+1:] }
