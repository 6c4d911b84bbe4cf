package killmatrix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
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

// Processes plays both scenes with the manager's binary, in a fast world, and
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
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "kill-"}}
	if err := b.kube.Create(ctx, space); err != nil {
		return outcome{}, nil, err
	}
	p, err := b.stage(ctx, s, kill, staging{clock.RealClock{}, space.Name})
	if err != nil {
		return outcome{}, nil, err
	}
	p.hurried = true
	dir, err := os.MkdirTemp("", "sluice-kill-")
	if err != nil {
		return outcome{}, nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	defer p.remove(ctx)
	m := &managers{play: p, binary: binary, said: &tail{}}
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
	said    *tail
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
		"cloud run": proxy(&url.URL{Scheme: "http", Host: "world"}, present{p, inMemory{wire.CloudRun(p.guard)}}, nil),
		"compute":   wire.Compute(p.guard),
		"control":   wire.Control(p.guard),
		"kube":      proxy(kube, present{p, p.bench.transport}, p.ownNamespace),
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
		"--kubeconfig", kubeconfig, "--leader-elect=false", "--health-probe-bind-address", "0",
		"--cloud-run-endpoint", addresses["cloud run"], "--compute-endpoint", addresses["compute"],
		"--monitoring-endpoint", metrics, "--simulated-clock", addresses["control"],
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

// proxy passes requests on to a server. A request that fails ends its
// connection, as a network would.
func proxy(to *url.URL, transport http.RoundTripper, edit func(*http.Request)) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			if edit != nil {
				edit(r.Out)
			}
		},
		Transport: transport, FlushInterval: -1,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}

// ownNamespace keeps a manager to its play's namespace, so that several can run
// on one apiserver.
func (p *play) ownNamespace(req *http.Request) {
	const group = "/apis/rollouts.sluice.dev/v1alpha1/"
	if req.URL.Path == group+"cloudrunrollouts" {
		req.URL.Path = group + "namespaces/" + p.object.Namespace + "/cloudrunrollouts"
	}
}

// drive runs one manager after the other until the scene is over.
func (m *managers) drive(ctx context.Context) error {
	p := m.play
	deadline := told{p}.Now().Add(patience)
	for number := 0; ; number++ {
		proc := newProcess(m.binary, m.args, m.said)
		l := &life{play: p, number: number, end: proc.endFor}
		p.life.Store(l)
		if err := proc.start(); err != nil {
			return err
		}
		over, err := m.watch(ctx, l, proc, deadline)
		proc.kill()
		if over || err != nil {
			return err
		}
	}
}

// watch looks on until the manager is killed or the scene is over.
func (m *managers) watch(ctx context.Context, l *life, proc *process, deadline time.Time) (over bool, err error) {
	p := m.play
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-proc.done:
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
		release, err := p.release()
		if err == nil && !release.IsZero() && !release.After(now) {
			err = p.deploy()
		}
		if err != nil {
			return false, err
		}
	}
}

// process is a manager that runs.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func newProcess(binary string, args []string, said *tail) *process {
	cmd := exec.Command(binary, args...) //nolint:noctx // ended by kill, not by a context
	cmd.Stdout, cmd.Stderr = said, said
	return &process{cmd, make(chan struct{})}
}

func (p *process) start() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return nil
}

// kill sends SIGKILL and waits until the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// endFor kills at once, or after the answer that is on its way.
func (p *process) endFor(kind Kind) {
	if kind != After {
		p.kill()
		return
	}
	time.AfterFunc(delivery, p.kill)
}

// tail keeps the last lines that the managers wrote.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 8 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = bytes.Clone(t.text[max(0, len(t.text)-tailBytes):])
	return len(p), nil
}

// String is what the managers said last.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return "the managers said last:\n" + strings.TrimSpace(string(t.text))
}

// Build compiles the manager into a directory.
func Build(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "sluice")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/sluice-rollouts/sluice")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling the manager: %w\n%s", err, out)
	}
	return binary, nil
}
