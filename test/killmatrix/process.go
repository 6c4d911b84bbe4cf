package killmatrix

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/manager"
)

const (
	// speed is how much faster than real time a world of processes lives.
	speed = 150
	// patience is how long such a play may take, in simulated time: starting a
	// process on a busy machine takes minutes of it.
	patience = 6 * time.Hour
	// tick is how often the driver looks.
	tick = 20 * time.Millisecond
	// delivery is how long an answer takes to reach the process that is then
	// killed. Whatever the process does meanwhile reaches nobody.
	delivery = 30 * time.Millisecond
)

// Processes plays every scene with the manager's binary, in a fast world, and
// ends it with SIGKILL at every PATCH. Everything that the manager says to the
// apiserver and to Cloud Run passes through this process. The manager runs
// without leader election: a lease would only add waiting.
func (b *Bench) Processes(ctx context.Context, binary string, o Options) (Report, error) {
	only := o.Only
	o.Only = func(s Scene, p Point) bool { return p.Call == patchCall && (only == nil || only(s, p)) }
	return matrix(ctx, o, func(ctx context.Context, s Scene, kill *Kill) (outcome, []Point, error) {
		return b.performProcess(ctx, binary, s, kill)
	})
}

func (b *Bench) performProcess(ctx context.Context, binary string, s Scene, kill *Kill) (outcome, []Point, error) {
	p, err := b.stage(ctx, s, kill, clock.RealClock{})
	if err != nil {
		return outcome{}, nil, err
	}
	p.speed = speed
	dir, err := os.MkdirTemp("", "sluice-kill-")
	if err != nil {
		return outcome{}, nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	defer p.remove(ctx)
	m := &managers{play: p, binary: binary, said: &manager.Tail{}}
	defer m.close()
	if err := m.serve(ctx, dir); err != nil {
		return outcome{}, nil, err
	}
	p.guard.SetSpeed(speed)
	if err := m.drive(ctx); err != nil {
		return outcome{}, nil, fmt.Errorf("%w\n%s", err, m.said)
	}
	p.guard.SetSpeed(0)
	o, err := p.outcome()
	return o, p.ledger.points, err
}

// managers are the processes of a play, one after the other.
type managers struct {
	play    *play
	binary  string
	args    []string
	said    *manager.Tail
	closers []func()
}

func (m *managers) close() {
	for _, closer := range m.closers {
		closer()
	}
}

// serve opens everything that a manager speaks to.
func (m *managers) serve(ctx context.Context, dir string) error {
	p := m.play
	kube, err := url.Parse(p.bench.config.Host)
	if err != nil {
		return err
	}
	addresses := map[string]string{}
	for name, handler := range map[string]http.Handler{
		"cloud run":  manager.Proxy(&url.URL{Scheme: "http", Host: "world"}, present{p, inMemory{wire.CloudRun(p.guard)}}, nil),
		"compute":    wire.Compute(p.guard),
		"vpc access": wire.VPCAccess(p.guard),
		"control":    wire.Control(p.guard),
		"kube":       manager.Proxy(kube, present{p, p.bench.transport}, manager.KeepTo(p.object.Namespace)),
	} {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = server.Serve(listener) }()
		m.closers = append(m.closers, func() { _ = server.Close() })
		addresses[name] = "http://" + listener.Addr().String()
	}
	metrics, stop, err := p.monitoring(ctx)
	if err != nil {
		return err
	}
	m.closers = append(m.closers, stop)
	kubeconfig := filepath.Join(dir, "kubeconfig")
	m.args = []string{
		"--kubeconfig", kubeconfig, "--leader-elect=false", "--health-probe-bind-address", "0", "--dashboard-bind-address", "0",
		"--cloud-run-endpoint", addresses["cloud run"], "--compute-endpoint", addresses["compute"],
		"--vpc-access-endpoint", addresses["vpc access"], "--monitoring-endpoint", metrics, "--simulated-clock", addresses["control"],
	}
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"kill": {Server: addresses["kube"]}},
		Contexts:       map[string]*clientcmdapi.Context{"kill": {Cluster: "kill"}},
		CurrentContext: "kill",
	}, kubeconfig)
}

// present is the way of whichever life is the present one.
type present struct {
	play *play
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g present) RoundTrip(req *http.Request) (*http.Response, error) {
	return gate{g.play.life.Load(), g.next}.RoundTrip(req)
}

// drive runs one manager after the other until the scene is over.
func (m *managers) drive(ctx context.Context) error {
	p := m.play
	deadline := told{p}.Now().Add(patience)
	for number := 0; ; number++ {
		proc := manager.New(m.binary, m.args, m.said)
		l := &life{play: p, number: number, end: func(kind Kind) { end(proc, kind) }}
		p.life.Store(l)
		if err := proc.Start(); err != nil {
			return err
		}
		over, err := m.watch(ctx, l, proc, deadline)
		proc.Kill()
		if over || err != nil {
			return err
		}
	}
}

// watch looks on until the manager is killed or the scene is over.
func (m *managers) watch(ctx context.Context, l *life, proc *manager.Process, deadline time.Time) (over bool, err error) {
	p := m.play
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-proc.Done():
			if !l.dead.Load() {
				return false, errors.New("the manager ended by itself")
			}
			return false, nil
		case <-ticker.C:
		}
		now := (told{p}).Now()
		if p.over() || now.After(deadline) {
			return true, nil
		}
		if err := p.happen(ctx, now); err != nil {
			return false, err
		}
	}
}

// happen lets the release and the person come when their time has come.
func (p *play) happen(ctx context.Context, now time.Time) error {
	release, err := p.release()
	if err == nil && !release.IsZero() && !release.After(now) {
		err = p.deploy()
	}
	if err != nil {
		return err
	}
	return p.act(ctx)
}

// end kills a process at once, or after the answer that is on its way.
func end(proc *manager.Process, kind Kind) {
	if kind != After {
		proc.Kill()
		return
	}
	time.AfterFunc(delivery, proc.Kill)
}
