package simulator

import (
	"fmt"
	"maps"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/fleet"
)

// Revision is a Cloud Run v2 revision, fields in the order of the API.
type Revision struct {
	Name                 string            `json:"name,omitempty"`
	UID                  string            `json:"uid,omitempty"`
	Generation           int64             `json:"generation,omitempty,string"`
	Labels               map[string]string `json:"labels,omitempty"`
	Annotations          map[string]string `json:"annotations,omitempty"`
	CreateTime           Timestamp         `json:"createTime,omitzero"`
	UpdateTime           Timestamp         `json:"updateTime,omitzero"`
	LaunchStage          string            `json:"launchStage,omitempty"`
	Service              string            `json:"service,omitempty"`
	Scaling              *RevisionScaling  `json:"scaling,omitempty"`
	VPCAccess            *VPCAccess        `json:"vpcAccess,omitempty"`
	Timeout              string            `json:"timeout,omitempty"`
	ServiceAccount       string            `json:"serviceAccount,omitempty"`
	Containers           []Container       `json:"containers,omitempty"`
	Volumes              []map[string]any  `json:"volumes,omitempty"`
	ExecutionEnvironment string            `json:"executionEnvironment,omitempty"`
	EncryptionKey        string            `json:"encryptionKey,omitempty"`
	Reconciling          bool              `json:"reconciling,omitempty"`
	Conditions           []Condition       `json:"conditions,omitempty"`
	ObservedGeneration   int64             `json:"observedGeneration,omitempty,string"`
	Concurrency          int               `json:"maxInstanceRequestConcurrency,omitempty"`
	SessionAffinity      bool              `json:"sessionAffinity,omitempty"`
	ScalingStatus        *ScalingStatus    `json:"scalingStatus,omitempty"`
	Etag                 string            `json:"etag,omitempty"`
}

// ScalingStatus is how many minimum instances a revision has.
type ScalingStatus struct {
	DesiredMinInstanceCount int `json:"desiredMinInstanceCount,omitempty"`
}

// phase is how far a revision has come.
type phase int

const (
	starting phase = iota // the container is being started
	ready                 // it can serve
	failed                // it never will, or no more
	lost                  // it is deleted
)

// revision is a hosted revision: its configuration, its life, its requests.
type revision struct {
	name      string // short
	uid       string
	number    int
	template  Template
	behaviour Behaviour
	service   *service

	phase       phase
	created     Timestamp
	updated     Timestamp
	readyAt     Timestamp
	failure     StartupFailure
	addressable Timestamp // since when the split names it

	life     ledger
	resource map[string]string // the labels of its metrics, once there are any

	// In a physical world:
	hosted      *fleet.Revision
	provisioned Timestamp // since when the minimum instances are there
}

// deployed makes the revision that the service's template describes and lets it
// start. The name is the template's, or the next automatic one.
func (w *World) deployed(s *service, own *Behaviour) *revision {
	s.created++
	r := &revision{
		name:     s.Template.Revision,
		uid:      w.naming.uuid(),
		number:   s.created,
		template: s.Template.clone(),
		service:  s,
		created:  s.UpdateTime,
		updated:  s.UpdateTime,
	}
	if r.name == "" {
		r.name = fmt.Sprintf("%s-%05d", s.name.Service, s.created)
		r.name += "-" + newDice(w.scenario.Seed, "suffix of "+r.name).text(3)
	}
	r.template.Revision = ""
	r.behaviour = s.behaviour[r.template.image()]
	if own != nil {
		r.behaviour = *own
	}
	s.revisions = append(s.revisions, r)
	w.limitRevisions(s)
	s.latestCreated = s.name.revision(r.name)
	s.templateWrite = true
	if w.scenario.Switches.LatestCreated == "onCreate" {
		s.LatestCreatedRevision = s.latestCreated
	}
	w.tell(Event{Kind: EventRevisionCreated, Service: s.Name, Revision: r.name})
	return r
}

// start schedules the moment at which the container is up, or is given up.
func (w *World) start(r *revision) {
	if w.plant != nil {
		w.startInstance(r, w.house(r))
		return
	}
	w.agenda.add(w.now.Add(r.behaviour.readyAfter()), func() { w.started(r) })
}

func (w *World) started(r *revision) {
	if r.phase != starting {
		return
	}
	r.updated = stamp(w.now)
	if why := r.behaviour.Startup.Fails; why != nil {
		w.giveUp(r, *why)
	} else {
		w.becomeReady(r)
	}
	w.reconcile(r.service)
	r.service.remember()
}

func (w *World) becomeReady(r *revision) {
	s := r.service
	r.phase, r.readyAt = ready, stamp(w.now)
	w.tell(Event{Kind: EventRevisionReady, Service: s.Name, Revision: r.name})
	if old := s.revision(shortName(s.LatestReadyRevision)); old != nil && (old.number > r.number || old == s.newest()) {
		return
	}
	if r == s.newest() {
		s.LatestCreatedRevision = s.latestCreated
	}
	w.isLatest(r)
	w.route(s, AuthorLatest)
}

// isLatest lets LATEST stand for a revision from now on: "the latest revision that is serving
// traffic" (run v2 discovery, Service.latestReadyRevision).
func (w *World) isLatest(r *revision) {
	s := r.service
	before := s.resolve(s.Traffic)
	s.LatestReadyRevision = s.name.revision(r.name)
	if after := s.resolve(s.Traffic); !maps.Equal(before, after) {
		w.tell(Event{Kind: EventDesired, Service: s.Name, Author: AuthorLatest, Split: after})
	}
}

func (w *World) giveUp(r *revision, why StartupFailure) {
	if why.Reason == "" {
		why.Reason = "HEALTH_CHECK_CONTAINER_ERROR"
	}
	if why.Message == "" {
		why.Message = containerFailed
	}
	r.phase, r.failure = failed, why
	w.tell(Event{Kind: EventRevisionFailed, Service: r.service.Name, Revision: r.name, Text: why.Reason})
}

// notReady is the text with which Cloud Run refuses to route to a revision.
func (r *revision) notReady() string {
	return fmt.Sprintf("Revision '%s' is not ready and cannot serve traffic. %s", r.name, r.failure.Message)
}

// view is the revision as a reader sees it. Its configuration never changes, and is the
// reader's to look at, not to change.
func (r *revision) view(now time.Time) Revision {
	t := &r.template
	full := r.service.name.revision(r.name)
	v := Revision{
		Name: full, UID: r.uid, Generation: 1,
		Labels: t.Labels, Annotations: t.Annotations,
		CreateTime: r.created, UpdateTime: r.updated,
		LaunchStage: launchStageGA, Service: r.service.name.Service,
		Scaling: t.Scaling, VPCAccess: t.VPCAccess, Timeout: t.Timeout, ServiceAccount: t.ServiceAccount,
		Containers: t.Containers, Volumes: t.Volumes, ExecutionEnvironment: t.ExecutionEnvironment,
		EncryptionKey: t.EncryptionKey, Reconciling: r.phase == starting,
		Conditions: r.conditions(now), ObservedGeneration: 1,
		Concurrency: t.Concurrency, SessionAffinity: t.SessionAffinity,
		Etag: etagOf(r.updated, full),
	}
	if n := r.minimum(); n > 0 && !r.addressable.IsZero() {
		v.ScalingStatus = &ScalingStatus{DesiredMinInstanceCount: n}
	}
	return v
}

func (r *revision) minimum() int {
	if r.template.Scaling == nil {
		return 0
	}
	return r.template.Scaling.MinInstanceCount
}
