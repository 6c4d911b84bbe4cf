package simulator

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// PatchRequest is services.patch.
type PatchRequest struct {
	Name             string
	Service          Service
	UpdateMask       []string // empty: every updatable field is replaced
	AllowMissing     bool
	ValidateOnly     bool
	ForceNewRevision bool
	Body             string // as it came over the wire, for the log
}

// CreateRequest is services.create.
type CreateRequest struct {
	Parent       string
	ID           string
	Service      Service
	ValidateOnly bool
	Body         string
}

// PatchService changes a service. The answer comes at once; the effect is for a
// later look at the operation or the service.
func (a API) PatchService(req PatchRequest) (Operation, error) {
	return carryOut(a, "services.patch", req.Name, func(t *ticket) (Operation, error) {
		if t.parked() {
			a.park(t, req)
			return Operation{}, ErrAnswerLost
		}
		return a.patch(t, req)
	}, req.describe)
}

// patch carries a write out now.
func (a API) patch(t *ticket, req PatchRequest) (Operation, error) {
	op, err := a.world.patch(req, a.caller.Identity)
	if err == nil && !req.ValidateOnly {
		t.accepted(req.Name)
	}
	return op, err
}

// park carries a write out later; nobody hears of the outcome.
func (a API) park(t *ticket, req PatchRequest) {
	delay := time.Duration(t.fault.Delay)
	a.world.agenda.add(a.world.now.Add(delay), func() {
		late := a.receive("services.patch", req.Name)
		late.call.Late = true
		req.describe(late.call)
		_, err := a.patch(late, req)
		_ = late.end(err)
		late.call.Lost = true
	})
}

// CreateService makes a new service.
func (a API) CreateService(req CreateRequest) (Operation, error) {
	return carryOut(a, "services.create", req.Parent+"/services/"+req.ID, func(t *ticket) (Operation, error) {
		op, err := a.world.create(req, a.caller.Identity)
		if err == nil && !req.ValidateOnly {
			t.accepted(t.call.Resource)
		}
		return op, err
	}, req.describe)
}

// describe notes what a write asks for.
func (r PatchRequest) describe(c *Call) {
	c.Mask, c.Body = r.UpdateMask, r.Body
	c.describe(r.Service)
}

func (r CreateRequest) describe(c *Call) {
	c.Body = r.Body
	c.describe(r.Service)
}

func (c *Call) describe(s Service) {
	c.Etag = s.Etag
	c.Traffic = slices.Clone(s.Traffic)
	c.Annotations = maps.Clone(s.Annotations)
	c.Template = maps.Clone(s.Template.Annotations)
}

// accepted notes what a service is like after a write that took effect.
func (t *ticket) accepted(name string) {
	if s, err := t.world.service(name); err == nil {
		t.call.Accepted, t.call.After = true, s.state()
		t.event.Service = s.Name
	}
}

func (w *World) patch(req PatchRequest, author string) (Operation, error) {
	s, err := w.service(req.Name)
	if err != nil {
		n, ok := parseServiceName(req.Name)
		if ok && req.AllowMissing {
			return w.create(CreateRequest{Parent: n.parent(), ID: n.Service, Service: req.Service, ValidateOnly: req.ValidateOnly}, author)
		}
		return Operation{}, err
	}
	if err := w.admit(s, req.Service); err != nil {
		return Operation{}, err
	}
	next, err := w.changed(s, req)
	if err != nil {
		return Operation{}, err
	}
	if r := s.revision(next.Template.Revision); r != nil && (req.ForceNewRevision || !next.Template.sameConfig(r.template)) {
		return Operation{}, revisionExists(r.name)
	}
	if req.ValidateOnly {
		return w.rehearsal(s.name, next), nil
	}
	return w.commit(s, change{next: next, author: author, force: req.ForceNewRevision}), nil
}

// admit asks whether the service may be written now, by who has read this etag.
func (w *World) admit(s *service, body Service) error {
	sw := w.scenario.Switches
	if body.Etag != "" && body.Etag != s.Etag && sw.Etag == "enforced" {
		return versionConflict(s.name.Service, body.Etag, s.UpdateTime)
	}
	if s.Reconciling && sw.PatchWhileReconciling == "rejected" {
		return &APIError{
			Code: http.StatusConflict, Status: "ABORTED",
			Message: "Conflict for resource '" + s.name.Service + "': another operation is in progress.",
		}
	}
	return w.echoed(s, body.Template)
}

// echoed refuses a body that repeats the name of an existing revision with
// another configuration, whatever the mask says.
func (w *World) echoed(s *service, t Template) error {
	r := s.revision(shortName(t.Revision))
	if t.Revision == "" || r == nil {
		return nil
	}
	if t.withDefaults(s.number).sameConfig(r.template) && w.scenario.Switches.EchoedRevision == "accepted" {
		return nil
	}
	return revisionExists(r.name)
}

// changed is the service as the request wants it.
func (w *World) changed(s *service, req PatchRequest) (Service, error) {
	next, err := masked(s.Service, req.Service, req.UpdateMask, w.scenario.Switches)
	if err != nil {
		return Service{}, err
	}
	return w.normal(s.name, s.number, next)
}

var revisionPattern = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

// reserved are the namespaces that annotations and labels may not use.
var reserved = []string{"run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev"}

// normal checks a service and fills what the server fills.
func (w *World) normal(n serviceName, number string, s Service) (Service, error) {
	for field, keys := range map[string]map[string]string{
		"annotations": s.Annotations, "labels": s.Labels,
		"template.annotations": s.Template.Annotations, "template.labels": s.Template.Labels,
	} {
		if err := checkKeys(field, keys); err != nil {
			return Service{}, err
		}
	}
	if len(s.Template.Containers) == 0 || s.Template.image() == "" {
		return Service{}, invalid("service.template.containers", "Missing required field 'service.template.containers[0].image'")
	}
	if r := s.Template.Revision; r != "" && (!strings.HasPrefix(r, n.Service+"-") || len(r) > 63 || !revisionPattern.MatchString(r)) {
		return Service{}, invalid("service.template.revision", "Revision name '%s' must start with '%s-' and hold at most 63 of [a-z0-9-]", r, n.Service)
	}
	traffic, err := normalTraffic(s.Traffic, w.scenario.Switches)
	if err != nil {
		return Service{}, err
	}
	s.Traffic = traffic
	s.Template = s.Template.withDefaults(number)
	if s.Ingress == "" {
		s.Ingress = ingressAll
	}
	if s.LaunchStage == "" {
		s.LaunchStage = launchStageGA
	}
	return s, nil
}

func checkKeys(field string, keys map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		prefix, _, found := strings.Cut(key, "/")
		if found && slices.ContainsFunc(reserved, func(r string) bool { return prefix == r || strings.HasSuffix(prefix, "."+r) }) {
			return invalid("service."+field, "The key '%s' in %s is reserved", key, field)
		}
	}
	return nil
}

// rehearsal answers a validateOnly request: an operation that cannot be fetched.
func (w *World) rehearsal(n serviceName, next Service) Operation {
	return Operation{Name: n.parent() + "/operations/" + w.naming.uuid(), Metadata: body(next)}
}
