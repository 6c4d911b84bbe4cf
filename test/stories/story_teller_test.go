package stories_test

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// A story is one rollout from its beginning to its end: a world, a plan, what
// people do and what goes wrong. It is told in testdata/<name>.golden.
type story struct {
	name  string
	title string // a sentence; the first line of the golden file
	world []func(*simulator.Scenario)
	plan  []func(*rollout.Plan)
	tale  []moment
	want  rollout.Phase
	// anyEnd is set where the end is not the point.
	anyEnd bool
	// until ends a story that does not end by itself. Default 6h.
	until time.Duration
}

// A moment is something that happens: at a time, or some time after a condition
// was first met, or in the middle of a pass.
type moment struct {
	at   time.Duration
	when func(*teller) bool // nil: at counts from the beginning
	gate gate               // with a number: just before that point of the nth write
	nth  int
	what string // a sentence
	do   func(*teller)

	due  time.Time
	done bool
}

// gate is a point in a pass that decided to write.
type gate string

const (
	beforePass  gate = "before the pass"
	beforeSave  gate = "before the save"
	beforeWrite gate = "after the save, before the write"
	afterWrite  gate = "after the write, before anything else"
)

// teller plays a story: it is the controller's loop without a cluster.
type teller struct {
	t       *testing.T
	story   story
	world   *simulator.World
	api     simulator.API
	senses  pilot.Senses
	start   time.Time
	moments []*moment

	plan    rollout.Plan
	number  int                // of the plan
	said    []invariants.Split // what serves, as the newest status says
	saved   rollout.Progress
	request rollout.Request
	ids     int

	clouds []invariants.Behaviour // where nobody has verified it

	peers  []rollout.Peer // what other rollouts claim
	unread string         // why the gateways' state cannot be read; "" if it can
	silent string         // why nothing is known of the way out any more; "" if it is

	trouble func(*teller, gate) // bad luck; nil for none
	mayStop bool                // at rest before the story's time is over

	lookAt  time.Time
	awake   time.Time // the controller is down until then
	looks   int
	writes  int  // decisions to write so far
	crashed bool // in this pass
	last    rollout.Decision
	bakedBy int             // the plan that the last decision was made by
	late    []time.Duration // of the bakes that ended, after what they said

	trace   invariants.Trace
	seq     int
	told    strings.Builder
	shown   string // what the last line was about
	shownTo string
	// shownWith is the last line that had others below it.
	shownWith string
}

const (
	project  = "acme-prod"
	region   = "asia-northeast1"
	ours     = "sluice@acme-prod.iam.gserviceaccount.com"
	alice    = "alice@example.com"
	webName  = "projects/acme-prod/locations/asia-northeast1/services/web"
	oldImage = "example.com/web:1"
	newImage = "example.com/web:2"
)

// midnight makes the times in messages equal to those before the lines.
var midnight = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// newTeller opens the book.
func newTeller(t *testing.T, s story) *teller {
	t.Helper()
	scenario := ordinaryWorld()
	for _, edit := range s.world {
		edit(&scenario)
	}
	world, err := simulator.New(scenario)
	if err != nil {
		t.Fatal(err)
	}
	b := &teller{t: t, story: s, world: world, api: world.As(simulator.Caller{Identity: ours}), start: midnight, plan: defaultPlan()}
	if b.senses, err = pilot.NewSenses(world, b.api, b.plan.Service); err != nil {
		t.Fatal(err)
	}
	for name, value := range scenario.Switches.Values() {
		b.clouds = append(b.clouds, invariants.Behaviour{Switch: name, Value: value})
	}
	for _, edit := range s.plan {
		edit(&b.plan)
	}
	if scenario.Network != nil || len(b.plan.Gateways) > 0 { // else nobody asks Compute
		b.senses.Outlet = b.compute(pilot.Compute(world, scenario))
	}
	for _, m := range s.tale {
		if m.when == nil && m.gate == "" {
			m.due = midnight.Add(m.at)
		}
		b.moments = append(b.moments, &m)
	}
	b.lookAt = midnight.Add(time.Second)
	b.planned()
	fmt.Fprintf(&b.told, "%s\n\n", s.title)
	return b
}

// ordinaryWorld is a service with one revision and a few users.
func ordinaryWorld() simulator.Scenario {
	return simulator.Scenario{
		Seed: 1, Start: midnight, Caller: "terraform@acme-prod.iam.gserviceaccount.com",
		Services: []simulator.Hosted{{
			Project: project, Location: region, Name: "web",
			Users:     simulator.Users{RequestsPerSecond: 20},
			Revisions: []simulator.Deployment{{Image: oldImage, Revision: "web-1", Timeout: "60s"}},
			Traffic:   []simulator.TrafficTarget{{Revision: "web-1", Percent: 100}},
		}},
	}
}

// defaultPlan is what the API's defaults make of a target and a gateway, but for
// the pacing: these worlds have no network that could be forecast.
func defaultPlan() rollout.Plan {
	plan := pilot.DefaultPlan(
		rollout.ServiceRef{Project: project, Location: region, Name: "web"},
		analysis.Source{Project: "acme-net", Location: region, Router: "r1", Gateway: "nat-1"},
	)
	plan.Pacing = rollout.Fixed
	return plan
}

// play tells the story to its end.
func (b *teller) play() {
	end := b.start.Add(6 * time.Hour)
	if b.story.until > 0 {
		end = b.start.Add(b.story.until)
	}
	var calm time.Time // since when nothing more will happen
	for {
		b.happen()
		now := b.world.Now()
		if b.due() {
			b.misfortune(beforePass)
		}
		if b.due() {
			b.pass()
			b.await()
		}
		if !b.over() {
			calm = time.Time{}
		} else if calm.IsZero() {
			calm = now
		}
		if now.Equal(end) || !calm.IsZero() && now.Sub(calm) >= 2*time.Minute && (b.story.until == 0 || b.mayStop) {
			break
		}
		b.world.AdvanceTo(b.next(end))
		b.drain()
	}
	b.judge()
}

// due tells whether it is time to look.
func (b *teller) due() bool {
	now := b.world.Now()
	return !now.Before(b.lookAt) && !now.Before(b.awake)
}

// next is when the next thing happens.
func (b *teller) next(end time.Time) time.Time {
	next := later(b.lookAt, b.awake)
	for _, m := range b.moments {
		if !m.done && !m.due.IsZero() && m.due.Before(next) {
			next = m.due
		}
	}
	if next.After(end) {
		next = end
	}
	return later(next, b.world.Now())
}

// over tells whether nothing more will happen by itself or by the tale.
func (b *teller) over() bool {
	switch b.saved.Phase {
	case rollout.Completed, rollout.RolledBack:
	case rollout.Idle, rollout.Paused:
		if b.trouble != nil {
			return false
		}
	case rollout.Checking, rollout.WarmingUp, rollout.Shifting, rollout.Baking, rollout.AwaitingApproval, rollout.Held, rollout.RollingBack:
		return false
	}
	return !slices.ContainsFunc(b.moments, func(m *moment) bool { return !m.done })
}

// happen lets the moments whose time has come happen.
func (b *teller) happen() {
	for _, m := range b.moments {
		if !m.done && !m.due.IsZero() && !m.due.After(b.world.Now()) {
			b.carryOut(m)
		}
	}
}

// await looks for conditions that have been met.
func (b *teller) await() {
	for _, m := range b.moments {
		if !m.done && m.when != nil && m.due.IsZero() && m.when(b) {
			m.due = b.world.Now().Add(m.at)
		}
	}
}

// reach lets what was waiting for a point of the pass happen.
func (b *teller) reach(g gate) {
	for _, m := range b.moments {
		if !m.done && m.gate == g && m.nth == b.writes {
			b.carryOut(m)
		}
	}
	b.misfortune(g)
}

// observe reads what a decision depends on, as the adapters do.
func (b *teller) observe() (rollout.Input, error) {
	defer b.drain()
	return b.senses.Observe(rollout.Input{Plan: b.plan, Progress: b.saved, Request: b.request, Peers: b.peers})
}

// compute is the Compute API, which may fail to tell the gateways' state.
func (b *teller) compute(tell func(rollout.Input) rollout.Outlet) func(rollout.Input) rollout.Outlet {
	return func(in rollout.Input) rollout.Outlet {
		if b.silent != "" {
			return rollout.Outlet{Presence: rollout.Unknown, Detail: b.silent}
		}
		out := tell(in)
		for i := range out.Gateways {
			out.Gateways[i].Unread = b.unread
		}
		return out
	}
}

func (b *teller) misfortune(g gate) {
	if b.trouble != nil {
		b.trouble(b, g)
		b.drain()
	}
}

func (b *teller) carryOut(m *moment) {
	m.done = true
	b.say("* %s", m.what)
	m.do(b)
	b.drain()
}

// say writes a line of the story.
func (b *teller) say(format string, args ...any) {
	since := b.world.Now().Sub(b.start)
	fmt.Fprintf(&b.told, "+%02d:%02d:%02d  %s\n", int(since.Hours()), int(since.Minutes())%60, int(since.Seconds())%60, fmt.Sprintf(format, args...))
}

// pass is one look: observe, decide, save, write, tell.
func (b *teller) pass() {
	b.crashed = false
	in, err := b.observe()
	if err != nil {
		b.show("cannot look: "+err.Error()+"; looks again in 15 seconds", "")
		b.lookAt = b.world.Now().Add(15 * time.Second)
		return
	}
	d := rollout.Decide(in)
	b.check(in, d)
	b.bakes(in, d)
	b.last = d
	if d.Write != nil || d.Deploy != nil {
		b.writes++
		if b.reach(beforeSave); b.crashed {
			return
		}
	}
	b.save(in, d)
	outcome := ""
	if d.Write != nil || d.Deploy != nil {
		if b.reach(beforeWrite); b.crashed {
			return
		}
		outcome = b.act(d)
		if b.reach(afterWrite); b.crashed {
			return
		}
	}
	b.tell(d, outcome)
	b.lookAt = d.LookAt.Add(-b.world.Skew())
}

// check holds every decision to what is promised of all of them.
func (b *teller) check(in rollout.Input, d rollout.Decision) {
	b.t.Helper()
	from, to := b.saved.Phase, d.Progress.Phase
	if from == "" {
		from = rollout.Idle
	}
	if from != to && !slices.Contains(rollout.Edges[from], to) {
		b.t.Errorf("%s: %s follows %s, which is no edge", b.story.name, to, from)
	}
	if !d.LookAt.After(in.Now) || !d.LookAt.Equal(d.LookAt.Truncate(time.Second)) || d.LookAt.Sub(in.Now) > time.Minute {
		b.t.Errorf("%s: at %s the next look is %s", b.story.name, in.Now, d.LookAt)
	}
	if d.Note == "" || d.Next == "" {
		b.t.Errorf("%s: at %s %s/%s says nothing: note %q, next %q", b.story.name, in.Now, to, d.Progress.Reason, d.Note, d.Next)
	}
	if b.looks++; b.looks%10 == 0 && !reflect.DeepEqual(rollout.Decide(in), d) {
		b.t.Errorf("%s: at %s the same input gave two decisions", b.story.name, in.Now)
	}
}

// earliest is what a bake says of its end.
var earliest = regexp.MustCompile(`(?:until|at) (Jan \d+ \d\d:\d\dZ) at the earliest`)

// bakes holds the end of a bake against what it said before: it comes no sooner, unless a
// person wants it, or another plan does.
func (b *teller) bakes(in rollout.Input, d rollout.Decision) {
	b.t.Helper()
	said := earliest.FindStringSubmatch(b.last.Next)
	ends := d.Raises() || d.Progress.Phase == rollout.Completed
	if said == nil || !ends || in.Request.Verb == rollout.Promote || b.number != b.bakedBy {
		b.bakedBy = b.number
		return
	}
	at, err := time.Parse("Jan 2 15:04Z", said[1])
	b.must(err)
	if at = at.AddDate(in.Now.Year(), 0, 0); in.Now.Before(at) {
		b.t.Errorf("%s: a bake ended at %s that was to end at %s at the earliest", b.story.name, in.Now, at)
	}
	b.late = append(b.late, in.Now.Sub(at))
}

// save keeps the progress, as the status of the object does.
func (b *teller) save(in rollout.Input, d rollout.Decision) {
	if d.Write != nil || d.Progress.Phase == rollout.Completed && b.saved.Phase != rollout.Completed {
		b.look(d)
	}
	e := savedEvent(b.world.Now().Truncate(time.Second), d, b.number)
	if in.Service.Generation < in.Progress.Generation {
		e.Told = b.said // a read of the past changes nothing
	}
	b.trace, b.said = append(b.trace, e), e.Told
	b.saved = d.Progress
}

func savedEvent(at time.Time, d rollout.Decision, plan int) invariants.Saved {
	p := d.Progress
	s := invariants.Saved{
		At: invariants.At(at), Plan: plan, Generation: p.Generation,
		Phase: string(p.Phase), Reason: string(p.Reason), Attempt: p.Attempt, Stable: p.Stable, Candidate: p.Candidate,
		Latched: p.Latched, Spared: p.Spared, Answered: p.LastRequest.ID, Accepted: p.LastRequest.Accepted,
	}
	if p.Phase == rollout.Baking || p.Phase == rollout.AwaitingApproval {
		s.Serving = invariants.Split{}
		for _, share := range p.Confirmed {
			s.Serving[share.Revision] = int(share.Percent)
		}
	}
	serves := invariants.Split{}
	for _, share := range d.Serves {
		serves[share.Revision] = int(share.Percent)
	}
	s.Told = []invariants.Split{serves}
	if d.Write != nil {
		s.Intent = &invariants.Intent{Split: invariants.Split{}, Etag: d.Write.ETag()}
		for _, e := range d.Write.Targets() {
			if e.Percent > 0 {
				s.Intent.Split[e.Revision] += int(e.Percent)
			}
		}
	}
	return s
}

// look notes what could be known at the moment of a decision.
func (b *teller) look(d rollout.Decision) {
	p := d.Progress
	subject := invariants.Subject{
		Project: project, Location: region, Service: "web", Candidate: p.Candidate, Stable: b.saved.Stable,
		From: later(b.start, b.world.Now().Add(-24*time.Hour)),
	}
	for _, g := range b.plan.Gateways {
		subject.Gateways = append(subject.Gateways, invariants.Gateway{Project: g.Project, Region: g.Location, Name: g.Gateway})
	}
	evidence, err := invariants.Visible(b.world.Series(), subject, b.world.Now())
	if err != nil { // then nothing could be known, and nothing may rise
		evidence = invariants.Evidence{At: invariants.At(b.world.Now())}
	}
	b.trace = append(b.trace, evidence)
}

// act carries out what was decided, and says what came of it.
func (b *teller) act(d rollout.Decision) string {
	if d.Deploy == nil {
		return b.send(d.Write)
	}
	request, err := pilot.Deploy(b.plan.Service, d.Deploy)
	b.must(err)
	_, err = b.api.PatchService(request)
	b.drain()
	return fmt.Sprintf("deploys template %s (%s)", d.Deploy.Template().Digest, outcomeOf(err))
}

// send carries out a write, and says what came of it in words.
func (b *teller) send(w *rollout.Write) string {
	var words []string
	for _, e := range w.Targets() {
		words = append(words, word(e))
	}
	_, err := b.api.PatchService(pilot.Patch(b.plan.Service, w))
	b.drain()
	return fmt.Sprintf("writes %s (%s)", strings.Join(words, ", "), outcomeOf(err))
}

// outcomeOf is what came of a call, in words.
func outcomeOf(err error) string {
	var refused *simulator.APIError
	switch {
	case errors.As(err, &refused):
		return fmt.Sprintf("refused, %d %s", refused.Code, refused.Status)
	case err != nil:
		return err.Error()
	}
	return "accepted"
}

func word(e rollout.Entry) string {
	text := fmt.Sprintf("%s %d%%", e.Revision, e.Percent)
	if e.Latest {
		text = fmt.Sprintf("LATEST %d%%", e.Percent)
	}
	if e.Tag != "" {
		text += " [" + e.Tag + "]"
	}
	return text
}

var number = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)

// tell writes a line when something has changed that a person would want to
// read. Numbers alone do not make a line.
func (b *teller) tell(d rollout.Decision, outcome string) {
	p := d.Progress
	state := string(p.Phase)
	if p.Reason != rollout.Reason(p.Phase) {
		state += "/" + string(p.Reason)
	}
	if p.Step > 0 && p.Phase != rollout.Completed && p.Phase != rollout.RolledBack {
		state += fmt.Sprintf(" %d%%", p.Confirmed.Of(p.Candidate))
	}
	line := fmt.Sprintf("%-22s %s", state, d.Note)
	var rest []string
	if outcome != "" {
		rest = append(rest, outcome)
	}
	for _, e := range d.Events {
		if strings.Contains(outcome, "refused") && e.Reason != rollout.RequestRefused && e.Reason != rollout.RequestAccepted {
			continue // told when it is carried out
		}
		kind := "event"
		if e.Warning {
			kind = "warning"
		}
		rest = append(rest, fmt.Sprintf("%s %s: %s", kind, e.Reason, e.Note))
	}
	if r := p.LastRequest; r.ID != "" && r.At.Equal(b.world.CallerNow()) {
		rest = append(rest, fmt.Sprintf("answer to %s, accepted %t: %s", r.Verb, r.Accepted, r.Message))
	}
	if all := strings.Join(rest, "\n"); all != "" && all+line != b.shownWith {
		b.shown, b.shownWith = "", all+line
	} else if all != "" {
		return // the same again
	}
	b.show(line, d.Next)
	for _, r := range rest {
		fmt.Fprintf(&b.told, "             - %s\n", r)
	}
}

func (b *teller) show(line, next string) {
	if key := number.ReplaceAllString(line, "#"); key != b.shown {
		b.shown = key
		b.say("%s", line)
	}
	if key := number.ReplaceAllString(strings.Replace(next, "1 more healthy minute,", "1 more healthy minutes,", 1), "#"); key != b.shownTo && next != "" {
		b.shownTo = key
		fmt.Fprintf(&b.told, "             > %s\n", next)
	}
}

// demand stores a person's request; the controller sees it at once.
func (b *teller) demand(r rollout.Request) {
	b.request = r
	mode := ""
	if r.Full {
		mode = "full"
	}
	b.trace = append(b.trace, invariants.Request{At: invariants.At(b.world.Now()), ID: r.ID, Verb: string(r.Verb), Mode: mode})
	b.lookAt = later(b.world.Now(), b.awake)
}

// drain takes what has happened in the world into the trace.
func (b *teller) drain() {
	log := b.world.LogSince(b.seq)
	b.seq += len(log)
	b.trace = append(b.trace, invariants.FromLog(log, webName, ours)...)
}

// planned notes what the user asks for from now on.
func (b *teller) planned() {
	b.number++
	plan := invariants.Plan{
		At: invariants.At(b.world.Now()), Number: b.number, Paused: b.plan.Paused, StableRevision: b.plan.StableRevision,
		Paced: b.plan.Pacing == rollout.Headroom, Template: b.plan.Template.Digest,
	}
	for _, s := range b.plan.Steps {
		plan.Steps = append(plan.Steps, invariants.Step{Weight: int(s.Weight), Bake: int(s.Bake / time.Minute), Approval: s.Approval})
	}
	for _, g := range b.plan.Guards {
		if g.Mode != rollout.Enforce {
			continue
		}
		switch r := g.Rule.(type) {
		case analysis.ServerErrors:
			plan.Errors = &invariants.ErrorLimit{MaxRatio: r.MaxRatio, MinRequests: r.MinRequests}
		case analysis.NatDroppedPackets:
			plan.Drops = &invariants.DropLimit{MaxPerMinute: r.MaxPerMinute, MinMinutes: int(r.MinMinutes)}
		case analysis.NatAllocationFailures:
			plan.Allocation = &invariants.AllocationLimit{MaxMinutes: int(r.MaxMinutes)}
		}
	}
	if b.throughNat() {
		for _, g := range b.plan.Gateways {
			plan.Gateways = append(plan.Gateways, g.Gateway)
		}
	}
	b.trace = append(b.trace, plan)
}

// throughNat tells whether the story's service leaves through a NAT at all.
func (b *teller) throughNat() bool {
	revisions, err := b.world.ListRevisions(webName)
	return err == nil && slices.ContainsFunc(revisions, func(r simulator.Revision) bool { return pilot.Egress(r.VPCAccess) == rollout.EgressAll })
}

// judge asks the invariants, and the story's own end.
func (b *teller) judge() {
	b.t.Helper()
	b.drain()
	for _, v := range invariants.Judge(b.trace, b.clouds...) {
		b.t.Errorf("%s: %s", b.story.name, v)
	}
	if b.saved.Phase != b.story.want && !b.story.anyEnd {
		b.t.Errorf("%s: it ended in %s/%s, want %s", b.story.name, b.saved.Phase, b.saved.Reason, b.story.want)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
