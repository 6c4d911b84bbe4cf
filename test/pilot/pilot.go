package pilot

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Identity is who the pilot is to Cloud Run.
const Identity = "sluice@sluice.iam.gserviceaccount.com"

// again is how soon it looks again when a look failed.
const again = 15 * time.Second

// Pilot plays rollouts against a world.
type Pilot struct {
	// Watch, if set, is shown each decision with what it rests on, before it is
	// carried out.
	Watch func(*Rollout, rollout.Input, rollout.Decision)

	world    *simulator.World
	rollouts []*Rollout
}

// Rollout is one that a pilot plays.
type Rollout struct {
	Record

	plan    rollout.Plan
	saved   rollout.Progress
	request rollout.Request
	senses  Senses
	api     simulator.API
	lookAt  time.Time
	asked   int
}

// Open begins the world of a scenario, with a pilot who has one rollout for each
// plan and knows of the scenario's NAT gateways what Compute tells.
func Open(sc simulator.Scenario, plans ...rollout.Plan) (*Pilot, error) {
	world, err := simulator.New(sc)
	if err != nil {
		return nil, err
	}
	p, err := New(world, plans...)
	if err != nil {
		return nil, err
	}
	for _, r := range p.rollouts {
		r.senses.Outlet = Compute(world, sc)
	}
	return p, nil
}

// New makes a pilot who has one rollout for each plan, and whom Compute tells
// nothing.
func New(world *simulator.World, plans ...rollout.Plan) (*Pilot, error) {
	p := &Pilot{world: world}
	for _, plan := range plans {
		r := &Rollout{plan: plan, api: world.As(simulator.Caller{Identity: Identity}), lookAt: world.Now().Add(time.Second)}
		senses, err := NewSenses(world, r.api, plan.Service)
		if err != nil {
			return nil, err
		}
		r.senses = senses.Remembering()
		p.rollouts = append(p.rollouts, r)
	}
	return p, nil
}

// World is the world that the pilot flies through.
func (p *Pilot) World() *simulator.World { return p.world }

// Rollouts are the rollouts in the order of the plans.
func (p *Pilot) Rollouts() []*Rollout { return p.rollouts }

// Plan is what the rollout's user asks for.
func (r *Rollout) Plan() rollout.Plan { return r.plan }

// Progress is what the rollout has saved.
func (r *Rollout) Progress() rollout.Progress { return r.saved }

// Ask stores a person's request about what is going on now. It is seen at once.
func (r *Rollout) Ask(verb rollout.Verb) {
	r.asked++
	r.request = rollout.Request{
		ID: fmt.Sprintf("request-%d", r.asked), Verb: verb, Attempt: r.saved.Attempt, Step: r.saved.Step, By: "alice@example.com",
	}
	r.lookAt = time.Time{}
}

// AdvanceTo lets time pass, with all its looks.
func (p *Pilot) AdvanceTo(end time.Time) error {
	for {
		next := p.next(end)
		p.world.AdvanceTo(next)
		if !next.Before(end) {
			return nil
		}
		for _, r := range p.rollouts {
			if err := p.pass(r); err != nil {
				return fmt.Errorf("rollout of %s: %w", r.plan.Service.Name, err)
			}
		}
	}
}

// next is when the next look is due, at the latest the end.
func (p *Pilot) next(end time.Time) time.Time {
	for _, r := range p.rollouts {
		if r.lookAt.Before(end) {
			end = r.lookAt
		}
	}
	return end
}

// pass is one look of a rollout that is due: observe, decide, save, write, tell.
func (p *Pilot) pass(r *Rollout) error {
	if r.lookAt.After(p.world.Now()) {
		return nil
	}
	in, err := r.senses.Observe(rollout.Input{Plan: r.plan, Progress: r.saved, Request: r.request, Peers: p.claims(r)})
	var refused *simulator.APIError
	switch {
	case errors.As(err, &refused):
		r.Blind++
		r.lookAt = p.world.Now().Add(again)
		return nil
	case err != nil:
		return err
	}
	d := rollout.Decide(in)
	if p.Watch != nil {
		p.Watch(r, in, d)
	}
	r.saved = d.Progress
	r.note(p.world.Now(), d)
	if d.Write != nil {
		r.send(p.world.Now(), d.Write)
	}
	if d.Deploy != nil {
		if err := r.deploy(d.Deploy); err != nil {
			return err
		}
	}
	r.lookAt = d.LookAt.Add(-p.world.Skew())
	if !r.lookAt.After(p.world.Now()) {
		return fmt.Errorf("at %s it would look again at %s", p.world.Now(), r.lookAt)
	}
	return nil
}

// deploy sends a template. What is refused is decided anew at the next look.
func (r *Rollout) deploy(d *rollout.Deploy) error {
	request, err := Deploy(r.plan.Service, d)
	if err != nil {
		return err
	}
	var refused *simulator.APIError
	if _, err := r.api.PatchService(request); err != nil && !errors.As(err, &refused) && !errors.Is(err, simulator.ErrAnswerLost) {
		return err
	}
	return nil
}

// send carries out a write. What is refused is decided anew at the next look.
func (r *Rollout) send(at time.Time, w *rollout.Write) {
	request := Patch(r.plan.Service, w)
	sums := map[string]int64{}
	for _, e := range w.Targets() {
		sums[e.Revision] += e.Percent
	}
	outcome := "accepted"
	if _, err := r.api.PatchService(request); err != nil {
		outcome = err.Error()
	}
	r.Writes = append(r.Writes, Write{at, rollout.NewSplit(sums), outcome})
}

// Deploy is a template as Cloud Run is asked for it.
func Deploy(of rollout.ServiceRef, d *rollout.Deploy) (simulator.PatchRequest, error) {
	request := simulator.PatchRequest{Name: FullName(of), UpdateMask: []string{"template"}, Service: simulator.Service{Etag: d.ETag()}}
	template := &request.Service.Template
	if err := json.Unmarshal([]byte(d.Template().JSON), template); err != nil {
		return request, fmt.Errorf("reading the template: %w", err)
	}
	template.Annotations = maps.Clone(template.Annotations)
	if template.Annotations == nil {
		template.Annotations = map[string]string{}
	}
	template.Annotations[rollout.TemplateAnnotation] = d.Template().Digest
	return request, nil
}

// Patch is a write as Cloud Run is asked for it.
func Patch(of rollout.ServiceRef, w *rollout.Write) simulator.PatchRequest {
	request := simulator.PatchRequest{Name: FullName(of), UpdateMask: []string{"traffic"}, Service: simulator.Service{Etag: w.ETag()}}
	for _, e := range w.Targets() {
		target := simulator.TrafficTarget{Type: simulator.AllocateRevision, Revision: e.Revision, Percent: int(e.Percent), Tag: e.Tag}
		if e.Latest {
			target.Type = simulator.AllocateLatest
		}
		request.Service.Traffic = append(request.Service.Traffic, target)
	}
	if claim, beside := w.Claim(); claim != nil {
		request.UpdateMask, request.Service.Annotations = []string{"traffic", "annotations"}, claimed(*claim, beside)
	}
	return request
}
