package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/controlplane"
)

// playSpeed is the world's speed when the story is over and people may play.
const playSpeed = 10

// stage is everything that runs for the demo.
type stage struct {
	dir        string // of binaries, logs and the kubeconfig; removed at the end
	speed      float64
	plane      *controlplane.ControlPlane
	kubeconfig string
	kubectl    string
	kube       client.Client
	world      *world
	began      time.Time // the world's beginning
	ports      ports
	page       string // where the manager serves its page
	manager    *process
	said       *tail
	watch      *watcher
	cloud      *process // the world that serves now
	metrics    string   // where the manager is scraped
	scraper    *scraper // nil where no Prometheus is installed
	closers    []func()
}

// ports are addresses on this machine.
type ports struct{ cloudRun, monitoring, compute, vpcAccess, iam, control string }

// say tells the user what is going on.
func say(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }

// setUp brings everything up, and says what it does meanwhile.
func setUp(ctx context.Context, speed float64) (*stage, error) {
	fmt.Println("Sluice demo: services, their users, a NAT gateway, and seven releases")
	dir, err := os.MkdirTemp("", "sluice-demo-")
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir, speed: speed, said: &tail{}}
	s.closers = append(s.closers, func() { _ = os.RemoveAll(dir) })

	say("compiling the manager and the world")
	for name, pkg := range map[string]string{"sluice": ".", "cloudrun-simulator": "./cmd/cloudrun-simulator"} {
		if err := s.build(ctx, name, pkg); err != nil {
			return s, err
		}
	}
	say("starting kube-apiserver and etcd")
	if s.plane, err = controlplane.Start(ctx, controlplane.Options{Progress: os.Stdout}); err != nil {
		return s, err
	}
	s.closers = append(s.closers, func() { _ = s.plane.Stop() })
	s.kubeconfig = filepath.Join(dir, "kubeconfig")
	if err := s.plane.WriteKubeconfig(s.kubeconfig); err != nil {
		return s, err
	}
	if s.kubectl, err = controlplane.Kubectl(ctx, os.Stdout); err != nil {
		return s, err
	}
	free, err := freeAddresses(2)
	if err != nil {
		return s, err
	}
	s.metrics, s.page = free[0], free[1]
	if err := s.startScraper(ctx); err != nil {
		return s, err
	}
	say("the manager's page is at http://%s/ while one runs", s.page)
	say("applying hack/demo/access.yaml with kubectl, without which nothing would be sent")
	return s, errors.Join(s.client(), s.apply(ctx, "hack/demo/access.yaml"))
}

// openStory starts the world of the acts after the first one.
func (s *stage) openStory(ctx context.Context) error {
	fmt.Println("\nThe other acts are played in a world of two services, whose NAT does what is written down, at 120 times real time")
	if err := s.startWorld(ctx, "hack/demo/scenarios/demo.yaml", s.speed); err != nil {
		return err
	}
	say("applying hack/demo/rollout.yaml with kubectl; revisions are shown without the name of the service, 00001-abc")
	return s.apply(ctx, "hack/demo/rollout.yaml")
}

func (s *stage) build(ctx context.Context, name, pkg string, flags ...string) error {
	args := slices.Concat([]string{"build", "-o", filepath.Join(s.dir, name)}, flags, []string{pkg})
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling %s: %w\n%s", pkg, err, out)
	}
	return nil
}

func (s *stage) client() error {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	kube, err := client.New(s.plane.Config, client.Options{Scheme: scheme})
	s.kube = kube
	return err
}

// startWorld starts a simulated cloud as a process of its own, in place of the one
// that serves now. At speed 0 its time passes only when told.
func (s *stage) startWorld(ctx context.Context, scenario string, speed float64) error {
	s.endWorld()
	var err error
	if s.ports, err = freePorts(); err != nil {
		return err
	}
	s.cloud, err = s.start("cloudrun-simulator", "--scenario", scenario,
		"--speed", strconv.FormatFloat(speed, 'f', -1, 64), "--cloud-run-listen", s.ports.cloudRun,
		"--monitoring-listen", s.ports.monitoring, "--compute-listen", s.ports.compute,
		"--vpc-access-listen", s.ports.vpcAccess, "--iam-credentials-listen", s.ports.iam, "--control-listen", s.ports.control)
	if err != nil {
		return err
	}
	s.world = &world{url: "http://" + s.ports.control, monitoring: s.ports.monitoring}
	s.began, err = s.world.wait(ctx)
	return err
}

func (s *stage) endWorld() {
	if s.cloud != nil {
		s.cloud.kill()
	}
	s.cloud = nil
}

// startManager starts the ordinary manager. Only the lease is shorter than
// usual, so that a killed manager's successor need not wait long.
func (s *stage) startManager() error {
	p, err := s.start("sluice", "--kubeconfig", s.kubeconfig,
		"--cloud-run-endpoint", "http://"+s.ports.cloudRun,
		"--monitoring-endpoint", "http://"+s.ports.monitoring,
		"--compute-endpoint", "http://"+s.ports.compute,
		"--vpc-access-endpoint", "http://"+s.ports.vpcAccess,
		"--iam-credentials-endpoint", "http://"+s.ports.iam,
		"--simulated-clock", "http://"+s.ports.control,
		"--health-probe-bind-address", "0",
		"--metrics-bind-address", s.metrics,
		"--dashboard-bind-address", s.page,
		"--leader-election-namespace", "default",
		"--leader-election-lease-duration", "4s",
		"--leader-election-renew-deadline", "3s",
		"--leader-election-retry-period", "500ms")
	s.manager = p
	return err
}

func (s *stage) endManager() {
	if s.manager != nil {
		s.manager.kill()
	}
	s.manager = nil
}

// apply applies a manifest the way a person does.
func (s *stage) apply(ctx context.Context, file string) error {
	return s.run(ctx, "apply", "-f", file)
}

// run runs kubectl.
func (s *stage) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, s.kubectl, append([]string{"--kubeconfig", s.kubeconfig}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", args[0], err, out)
	}
	return nil
}

func (s *stage) close() {
	s.endManager()
	s.endWorld()
	for _, closer := range slices.Backward(s.closers) {
		closer()
	}
}

// whatWasSaid is the end of what the processes logged, for a failure.
func (s *stage) whatWasSaid() string { return "the last lines of the processes:\n" + s.said.String() }

// process is a running program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func (s *stage) start(name string, args ...string) (*process, error) {
	cmd := exec.Command(filepath.Join(s.dir, name), args...) //nolint:noctx // ended by close, not by a context
	cmd.Stdout, cmd.Stderr = s.said, s.said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p := &process{cmd, make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// kill sends SIGKILL and waits until the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// running tells whether the process is still there.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// tail keeps the last lines that were written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

var _ io.Writer = (*tail)(nil)

const tailBytes = 16 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailBytes; extra > 0 {
		t.text = bytes.Clone(t.text[extra:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

func freePorts() (ports, error) {
	found, err := freeAddresses(6)
	if err != nil {
		return ports{}, err
	}
	return ports{found[0], found[1], found[2], found[3], found[4], found[5]}, nil
}

// freeAddresses finds addresses on this machine that nobody listens at.
func freeAddresses(n int) ([]string, error) {
	found := make([]string, n)
	for i := range found {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		defer func() { _ = l.Close() }()
		found[i] = l.Addr().String()
	}
	return found, nil
}

// until polls a condition until it holds, the time is over, or it fails for good.
func until(ctx context.Context, what string, limit time.Duration, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waiting %s for %s", limit, what), ctx.Err())
		case <-tick.C:
		}
	}
}
