package killmatrix

import (
	"context"
	"fmt"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/monitoring"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

// forever is how long a call is waited for. The time of a play is told: a call that
// takes long on a busy machine must not turn into one that failed, since the calls
// after it would be others than those of the reference.
const forever = time.Hour

// unspread leaves waits as they are.
func unspread() float64 { return 0 }

// controller is a reconciler with everything that it remembers.
type controller struct {
	*life
	kube       client.Client
	reconciler reconcile.Reconciler
	metrics    *monitoring.Client
}

// bear starts a controller that remembers nothing.
func (p *play) bear(ctx context.Context, number int, metrics string) (*controller, error) {
	c := &controller{life: &life{play: p, number: number}}
	p.life.Store(c.life)
	var err error
	if c.kube, err = p.bench.client(gate{c.life, saboteur{c.life, within{p.object.Namespace, p.bench.transport}}}); err != nil {
		return nil, err
	}
	transport := gate{c.life, inMemory{wire.CloudRun(p.guard)}}
	run, err := cloudrun.New(ctx, cloudrun.Options{
		Endpoint: "http://127.0.0.1:1/", UserAgent: "sluice", Transport: transport, Timeout: forever, Random: unspread,
	})
	if err != nil {
		return nil, err
	}
	watch := cloudrun.NewWatch(run, func(error) {})
	if c.metrics, err = monitoring.New(ctx, monitoring.Options{
		Endpoint: metrics, UserAgent: "sluice", Timeout: forever, Patience: forever, Clock: told{p}, Random: unspread,
	}); err != nil {
		return nil, err
	}
	c.reconciler = reconcile.AsReconciler(c.kube, &controllers.Reconciler{
		Client: c.kube, Clock: told{p}, Process: told{p}, Recorder: recorder{ctx, c.kube, told{p}},
		Cluster: p.bench.cluster, Random: unspread,
		Connect: func(context.Context, *v1alpha1.CloudRunRollout) (controllers.Cloud, error) {
			return controllers.Cloud{Observer: run, Actuator: run, Metrics: c.metrics, Watcher: watch}, nil
		},
	})
	if p.bug != nil && p.bug.born != nil && number > 0 {
		err = p.bug.born(ctx, c.life, transport)
	}
	return c, err
}

// perform plays a scene in one process, on told time, and returns what it came
// to and the points that it passed.
func (b *Bench) perform(ctx context.Context, s Scene, kill *Kill, bug *Bug) (outcome, []Point, error) {
	p, err := b.stage(ctx, s, kill, clocktesting.NewFakePassiveClock(morning))
	if err != nil {
		return outcome{}, nil, err
	}
	defer p.remove(ctx)
	p.bug = bug
	metrics, stop, err := p.monitoring(ctx)
	if err != nil {
		return outcome{}, nil, err
	}
	defer stop()
	if err := p.drive(ctx, metrics); err != nil {
		return outcome{}, nil, err
	}
	o, err := p.outcome()
	return o, p.ledger.points, err
}

// drive runs one controller after the other until the scene is over.
func (p *play) drive(ctx context.Context, metrics string) error {
	deadline := told{p}.Now().Add(limit)
	for number := 0; ; number++ {
		c, err := p.bear(ctx, number, metrics)
		if err != nil {
			return err
		}
		over, err := p.live(ctx, c, deadline)
		_ = c.metrics.Close()
		if over || err != nil {
			return err
		}
		if err := p.rest(ctx, downtimes[p.ledger.kill.Kind]); err != nil {
			return err
		}
	}
}

// live lets a controller look until it dies or the scene is over.
func (p *play) live(ctx context.Context, c *controller, deadline time.Time) (over bool, err error) {
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(p.object)}
	failures := 0
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		result, err := c.reconciler.Reconcile(ctx, request)
		if c.dead.Load() {
			return false, nil
		}
		if p.over() || deadline.Before((told{p}).Now()) {
			return true, nil
		}
		if err == nil {
			failures = 0
		} else {
			failures++
		}
		if err := p.rest(ctx, wait(result, failures)); err != nil {
			return false, err
		}
	}
}

// wait is how long until the next look: as asked, or as the manager's backoff.
func wait(result ctrl.Result, failures int) time.Duration {
	if failures > 0 {
		return min(time.Second<<min(failures-1, 10), 30*time.Second)
	}
	if result.RequeueAfter == 0 {
		return time.Hour // nobody would look again
	}
	return result.RequeueAfter
}

// rest lets time pass, and the release and the person come when their time has come.
func (p *play) rest(ctx context.Context, d time.Duration) error {
	if err := p.act(ctx); err != nil {
		return fmt.Errorf("asking for a verb: %w", err)
	}
	due := told{p}.Now().Add(d)
	release, err := p.release()
	if err != nil {
		return err
	}
	if !release.IsZero() && !release.After(due) {
		p.pass(release.Sub(told{p}.Now()))
		if err := p.deploy(); err != nil {
			return fmt.Errorf("deploying: %w", err)
		}
	}
	p.pass(due.Sub(told{p}.Now()))
	return nil
}

func (p *play) pass(d time.Duration) {
	p.guard.Do(func(w *simulator.World) { w.Advance(d) })
}
