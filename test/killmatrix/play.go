package killmatrix

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/request"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/witness"
)

// play is one playing of a scene: a world, an object, and one life after the
// other.
type play struct {
	bench  *Bench
	scene  Scene
	bug    *Bug
	ledger *ledger
	guard  *wire.Guard
	seen   *witness.Witness
	object *v1alpha1.CloudRunRollout // as it was created
	life   atomic.Pointer[life]
	// speed is how much faster the world's time passes than that of the controllers.
	speed float64

	mu       sync.Mutex
	lines    []line
	status   v1alpha1.CloudRunRolloutStatus // the newest that is stored
	writes   map[string]string              // bodies of the PATCHes, by etag
	repeats  []string                       // what was wrong with repeated ones
	deployAt time.Time
	deployed bool
	acted    int // deeds of the scene so far
	endedAt  time.Time
}

// line is a moment of a play, in words.
type line struct {
	at   time.Time
	what string
}

// stage prepares a play, whose time is that of a clock: its world is settled, and
// its rollout is created in a namespace of its own.
func (b *Bench) stage(ctx context.Context, s Scene, kill *Kill, wall clock.PassiveClock) (*play, error) {
	world, err := simulator.New(s.world())
	if err != nil {
		return nil, err
	}
	world.Advance(settled)
	p := &play{bench: b, scene: s, ledger: newLedger(kill), guard: wire.NewGuard(world, wall), speed: 1, writes: map[string]string{}}
	p.seen = witness.New(p.guard, witness.Scope{
		Project: project, Location: region, Service: service, Callers: []string{ours},
		Gateways: []invariants.Gateway{{Project: "acme-net", Region: region, Name: gateway}}, From: morning,
		Heard: p.sayEvent,
	})
	err = p.seen.Asked(func(time.Time) (invariants.Event, error) {
		var err error
		p.object, err = b.create(ctx)
		return plan(morning), err
	})
	return p, err
}

// remove removes the play's object.
func (p *play) remove(ctx context.Context) { _ = p.bench.kube.Delete(ctx, p.object) }

// monitoring serves the world's metrics on this machine, until stop is called.
func (p *play) monitoring(ctx context.Context) (address string, stop func(), err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(p.measured))
	monitoringpb.RegisterMetricServiceServer(server, wire.NewMonitoring(wire.Metrics(p.guard)))
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), server.Stop, nil
}

func (p *play) say(at time.Time, format string, args ...any) {
	p.lines = append(p.lines, line{at, fmt.Sprintf(format, args...)})
}

func (p *play) tellKill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.Catchup()
	p.say(told{p}.Now(), "%s: %s", killed, p.ledger.kill)
}

// killed begins the line of a kill, which the reference does not have.
const killed = "KILLED"

// sayEvent hears of the world.
func (p *play) sayEvent(e simulator.Event) {
	switch {
	case e.Kind == simulator.EventEffective:
		p.say(e.At, "%s serves", split(e.Split))
	case e.Kind == simulator.EventCall && e.Call.Operation == "services.patch":
		p.say(e.At, "PATCH %s: %d", entries(e.Call.Traffic), e.Call.Code)
	}
}

// before is told of every call that will be made now.
func (p *play) before(c call, sent []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case c.name == patchCall:
		return p.beforePatch(sent)
	case c.object && c.write:
		ro := v1alpha1.CloudRunRollout{}
		if err := json.Unmarshal(sent, &ro); err != nil {
			return err
		}
		return p.seen.Deciding(&ro.Status)
	}
	return nil
}

// beforePatch compares writes on the same etag: they must be the same.
func (p *play) beforePatch(sent []byte) error {
	var body struct {
		Etag string `json:"etag"`
	}
	if err := json.Unmarshal(sent, &body); err != nil {
		return err
	}
	if was, again := p.writes[body.Etag]; again && was != string(sent) {
		p.repeats = append(p.repeats, fmt.Sprintf("two writes on one etag: %s, then %s", was, sent))
	}
	p.writes[body.Etag] = string(sent)
	return nil
}

// after is told of every answer about the rollout.
func (p *play) after(c call, code int, got []byte) error {
	if !c.write || code != http.StatusOK {
		return nil
	}
	ro := v1alpha1.CloudRunRollout{}
	if err := json.Unmarshal(got, &ro); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.Saved("", &ro.Status)
	now := told{p}.Now()
	if turn := turn(&ro.Status); turn != turnOf(p.status) {
		p.say(now, "status: %s", turn)
	}
	p.status = ro.Status
	p.ended(now)
	return nil
}

// ended notes when the scene has come to an end.
func (p *play) ended(now time.Time) {
	mine := p.deployed && p.status.Attempt != nil && p.status.Attempt.Candidate == candidate
	switch over := p.status.Phase == v1alpha1.PhaseCompleted || p.status.Phase == v1alpha1.PhaseRolledBack; {
	case !mine || !over || !p.answered():
		p.endedAt = time.Time{}
	case p.endedAt.IsZero():
		p.endedAt = now
	}
}

// answered tells whether the scene's last verb has its answer.
func (p *play) answered() bool {
	last := len(p.scene.deeds)
	return last == 0 || p.acted == last && p.status.LastRequest != nil && p.status.LastRequest.ID == strconv.Itoa(last)
}

// over tells whether the scene has been over for long enough.
func (p *play) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.endedAt.IsZero() && told{p}.Since(p.endedAt) >= calm
}

// release tells when the release is due: a minute after the service was seen to
// be pinned and in order. Zero is not yet, or already done.
func (p *play) release() (due time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deployed {
		return time.Time{}, nil
	}
	var state simulator.State
	p.guard.Do(func(w *simulator.World) { state, err = w.State(fullName) })
	latest := slices.ContainsFunc(state.Traffic, func(t simulator.TrafficTarget) bool { return t.Type == simulator.AllocateLatest })
	ready := p.status.Phase == v1alpha1.PhaseIdle && witness.BaselineOf(&p.status) != "" && !latest && !state.Reconciling
	if ready && p.deployAt.IsZero() {
		p.deployAt = told{p}.Now().Add(time.Minute)
	}
	return p.deployAt, err
}

// deploy deploys the scene's release, as a pipeline does.
func (p *play) deploy() error {
	var err error
	p.guard.Do(func(w *simulator.World) {
		_, err = w.Deploy(fullName, simulator.Deployment{Image: p.scene.image, Revision: candidate})
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deployed = true
	p.say(told{p}.Now(), "%s is deployed", candidate)
	return err
}

// act lets the person ask for the next verb of the scene once its time has come.
func (p *play) act(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.acted == len(p.scene.deeds) {
		return nil
	}
	next := p.scene.deeds[p.acted]
	if p.status.Phase != next.phase || p.status.Step != next.step {
		return nil
	}
	p.acted++
	if next.verb == claim {
		return p.claim()
	}
	return p.seen.Asked(func(now time.Time) (invariants.Event, error) {
		var ro v1alpha1.CloudRunRollout
		if err := p.bench.kube.Get(ctx, client.ObjectKeyFromObject(p.object), &ro); err != nil {
			return nil, err
		}
		ask := request.Ask{Verb: next.verb, By: "ann@example.com", Reason: "the scene wants it", ID: strconv.Itoa(p.acted)}
		was := ro.DeepCopy()
		if ro.Annotations == nil {
			ro.Annotations = map[string]string{}
		}
		maps.Copy(ro.Annotations, ask.Annotations(was))
		p.say(now, "%s is asked for", next.verb)
		return invariants.Request{At: invariants.At(now), ID: ask.ID, Verb: ask.Verb}, p.bench.kube.Patch(ctx, &ro, client.MergeFrom(was))
	})
}

// claim lets an object of another cluster claim the service, at the same numbers as ours.
func (p *play) claim() error {
	p.say(told{p}.Now(), "another cluster claims the service")
	var failed error
	p.guard.Do(func(w *simulator.World) {
		api := w.As(simulator.Caller{Identity: "sluice@elsewhere.iam.gserviceaccount.com"})
		found, err := api.GetService(fullName)
		if err != nil {
			failed = err
			return
		}
		theirs := map[string]any{}
		if failed = json.Unmarshal([]byte(found.Annotations[cloudrun.ClaimKey]), &theirs); failed != nil {
			return
		}
		theirs["cluster"], theirs["uid"] = "another-cluster", "another-object"
		text, err := json.Marshal(theirs)
		if err != nil {
			failed = err
			return
		}
		found.Annotations[cloudrun.ClaimKey] = string(text)
		_, failed = api.PatchService(simulator.PatchRequest{Name: fullName, Service: found, UpdateMask: []string{"annotations"}})
	})
	return failed
}

// turn is what a person would notice of a status.
func turn(s *v1alpha1.CloudRunRolloutStatus) string {
	reason := ""
	if s.Attempt != nil {
		reason = s.Attempt.Reason
	}
	return fmt.Sprintf("%s/%s step %q", s.Phase, reason, s.Step)
}

func turnOf(s v1alpha1.CloudRunRolloutStatus) string { return turn(&s) }

// split writes percents, the revisions in order.
func split(percents map[string]int) string {
	var words []string
	for _, revision := range slices.Sorted(maps.Keys(percents)) {
		words = append(words, fmt.Sprintf("%s %d%%", revision, percents[revision]))
	}
	return strings.Join(words, ", ")
}

func entries(list []simulator.TrafficTarget) string {
	var words []string
	for _, t := range list {
		word := fmt.Sprintf("%s %d%%", t.Revision, t.Percent)
		if t.Tag != "" {
			word += " [" + t.Tag + "]"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
