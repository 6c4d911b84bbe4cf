package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/manager"
)

// itself makes the test binary run the program instead of its tests.
const itself = "SLUICE_RUN_MAIN"

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	if os.Getenv(itself) != "" {
		main()
		return
	}
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{}))
}

// program is the manager as a process of its own, with what it prints.
func program(t *testing.T, args ...string) (*exec.Cmd, *printed) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "kubeconfig")
	if err := plane.WriteKubeconfig(config); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), executable, args...)
	// No credentials, wherever the tests run: only loopback may work without.
	cmd.Env = append(os.Environ(), itself+"=1", "KUBECONFIG="+config, "HOME="+t.TempDir(),
		"GOOGLE_APPLICATION_CREDENTIALS="+filepath.Join(t.TempDir(), "none"))
	out := &printed{}
	cmd.Stdout, cmd.Stderr = out, out
	return cmd, out
}

type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// world serves a simulated world at a speed, and its control endpoint.
func world(t *testing.T, speed float64) (endpoints []string, control string) {
	t.Helper()
	sc, err := simulator.ParseScenario([]byte(`services: [{project: acme-prod, location: asia-northeast1, name: web, revisions: [{image: a}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	w, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	guard := wire.NewGuard(w, clock.RealClock{})
	guard.SetSpeed(speed)
	serve := func(skin http.Handler) string {
		server := httptest.NewServer(skin)
		t.Cleanup(server.Close)
		return server.URL
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	monitoringpb.RegisterMetricServiceServer(server, wire.NewMonitoring(wire.Metrics(guard)))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return []string{
		"--cloud-run-endpoint=" + serve(wire.CloudRun(guard)), "--compute-endpoint=" + serve(wire.Compute(guard)),
		"--vpc-access-endpoint=" + serve(wire.VPCAccess(guard)),
		"--monitoring-endpoint=http://" + listener.Addr().String(),
	}, serve(wire.Control(guard))
}

func TestTheManagerRunsAndEndsOnSIGTERM(t *testing.T) {
	t.Parallel()
	endpoints, control := world(t, 60)
	cmd, out := program(t, append(endpoints, "--simulated-clock="+control, "--health-probe-bind-address=0", "--dashboard-bind-address=0")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	ro := &v1alpha1.CloudRunRollout{}
	ro.Name, ro.Namespace = "web", "default"
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}
	if err := errors.Join(c.Create(t.Context(), manager.Access(ro.Namespace, "acme-prod")), c.Create(t.Context(), ro)); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionReady) {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, out)
		case <-tick.C:
		}
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(ro), ro); err != nil {
			t.Fatal(err)
		}
	}
	// It lives in the world's time, which began long before this test.
	if since := ro.Status.Attempt.Since; since.Year() != 2026 || since.Month() != time.January {
		t.Errorf("the state is since %v", since)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v\n%s", err, out)
	}
}

func TestTheLeaseHasANamespace(t *testing.T) {
	t.Parallel()
	pod := &rest.Config{BearerTokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token"}
	for name, c := range map[string]struct {
		asked  string
		config *rest.Config
		want   string
	}{
		"by a kubeconfig":  {"", &rest.Config{}, "default"},
		"in a pod its own": {"", pod, ""},
		"the one asked":    {"ops", &rest.Config{}, "ops"},
	} {
		if got := leaseNamespace(c.asked, c.config); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestMistakesOnTheCommandLineEndTheManager(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a told clock and Google's endpoints":  {[]string{"--simulated-clock=http://127.0.0.1:1"}, "must all be http addresses on this machine"},
		"a told clock and one real endpoint":   {[]string{"--simulated-clock=http://127.0.0.1:1", "--cloud-run-endpoint=http://127.0.0.1:1"}, "must all be http addresses on this machine"},
		"an endpoint elsewhere without TLS":    {[]string{"--cloud-run-endpoint=http://example.com"}, "--cloud-run-endpoint: "},
		"no credentials for Google's endpoint": {nil, "finding credentials for"},
		"tokens of Google for this machine": {
			[]string{
				"--cloud-run-endpoint=http://127.0.0.1:1", "--monitoring-endpoint=http://127.0.0.1:1",
				"--compute-endpoint=http://127.0.0.1:1", "--vpc-access-endpoint=http://127.0.0.1:1", "--iam-credentials-endpoint=https://iamcredentials.googleapis.com",
			},
			"tokens would leave without encryption",
		},
		"no reads at all":          {[]string{"--cloud-run-reads-per-minute=0"}, "--cloud-run-reads-per-minute: 0 reads a minute would be none: write 1 or more, 300 unless the project's quota is known"},
		"fewer reads than none":    {[]string{"--cloud-run-reads-per-minute=-5"}, "--cloud-run-reads-per-minute: -5 reads a minute would be none"},
		"no rollouts at all":       {[]string{"--max-rollouts-per-namespace=0"}, "--max-rollouts-per-namespace: 0 rollouts would be none: write 1 or more, 500 unless a namespace needs more"},
		"reads that are no number": {[]string{"--cloud-run-reads-per-minute=many"}, `invalid value "many" for flag -cloud-run-reads-per-minute`},
		"a flag that nobody knows": {[]string{"--spede"}, "flag provided but not defined: -spede"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, out := program(t, c.args...)
			err := cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(out.String(), c.want) {
				t.Errorf("%v, want %q:\n%s", err, c.want, out)
			}
		})
	}
}

// TestTheManagerServesItsPage finds the page where the manager says that it is, with
// the rollouts of the cluster and who leads.
func TestTheManagerServesItsPage(t *testing.T) {
	t.Parallel()
	endpoints, control := world(t, 60)
	cmd, out := program(t, append(endpoints, "--simulated-clock="+control, "--health-probe-bind-address=0",
		"--dashboard-bind-address=127.0.0.1:0", "--leader-election-namespace=kube-system")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address := regexp.MustCompile(`The page is served.*"address":"([0-9.:]+)"`)
	var page string
	for end := time.Now().Add(time.Minute); !strings.Contains(page, "<li>leader "); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the page does not say who leads: %s\n%s", page, out)
		}
		if found := address.FindStringSubmatch(out.String()); found != nil {
			page = fetched(t, "http://"+found[1]+"/")
		}
	}
}

// fetched gets a page that is there.
func fetched(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %v %s", resp.StatusCode, err, text)
	}
	return string(text)
}

func TestATimeThatIsToldIsOnlyForThisMachine(t *testing.T) {
	t.Parallel()
	const here = "http://127.0.0.1:1"
	for name, c := range map[string]struct{ clock, run, metrics string }{
		"no endpoints":                     {here, "", ""},
		"no endpoint of Cloud Monitoring":  {here, here, ""},
		"https":                            {here, here, "https://127.0.0.1:1"},
		"another machine":                  {here, "http://10.0.0.1", here},
		"a name that looks like loopback":  {here, "http://127.0.0.1.example.com", here},
		"loopback as a user":               {here, "http://127.0.0.1@example.com", here},
		"the clock is on another machine":  {"http://10.0.0.1", here, here},
		"an address that cannot be parsed": {here, "http://[::1", here},
	} {
		_, _, err := clockFlag{c.clock}.open(t.Context(), c.run, c.metrics)
		if err == nil || !strings.Contains(err.Error(), "on this machine") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, speed, err := clockFlag{}.open(t.Context(), "", "")
	if err != nil || speed() != 1 {
		t.Errorf("real time: %v", err)
	}
	for _, control := range []string{"http://localhost:1", "http://[::1]:1", here} {
		if !onThisMachine(control) {
			t.Errorf("%s is not on this machine", control)
		}
	}
	endpoints, control := world(t, 60)
	for i, written := range endpoints {
		_, endpoints[i], _ = strings.Cut(written, "=")
	}
	told, speed, err := clockFlag{control}.open(t.Context(), endpoints...)
	if err != nil || speed() != 60 || told.Now().Year() != 2026 {
		t.Errorf("told time: %v", err)
	}
}

func TestTheHelpLeavesTheToldClockOut(t *testing.T) {
	t.Parallel()
	cmd, out := program(t, "--help")
	_ = cmd.Run()
	for _, name := range []string{"cloud-run-endpoint", "cloud-run-reads-per-minute", "monitoring-endpoint", "compute-endpoint", "vpc-access-endpoint", "dashboard-bind-address", "leader-elect", "leader-election-lease-duration", "kubeconfig"} {
		if !strings.Contains(out.String(), "-"+name) {
			t.Errorf("help does not name %s:\n%s", name, out)
		}
	}
	if strings.Contains(out.String(), "clock") {
		t.Errorf("help names the clock:\n%s", out)
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	(&clockFlag{}).bind(flags)
	if flags.Lookup("simulated-clock") == nil {
		t.Error("there is no flag")
	}
}

func TestWaitsAreShortenedAndNothingElse(t *testing.T) {
	t.Parallel()
	failure := errors.New("no")
	for name, c := range map[string]struct {
		speed float64
		after time.Duration
		err   error
		want  time.Duration
	}{
		"real time":            {1, time.Minute, nil, time.Minute},
		"slower than real":     {0.5, time.Minute, nil, time.Minute},
		"a hundred times":      {100, time.Minute, nil, 600 * time.Millisecond},
		"never below one tick": {1000, 200 * time.Microsecond, nil, time.Millisecond},
		"nothing to wait for":  {100, 0, nil, 0},
		"an error passes":      {100, 0, failure, 0},
	} {
		inner := reconcile.Func(func(context.Context, reconcile.Request) (ctrl.Result, error) {
			return ctrl.Result{RequeueAfter: c.after}, c.err
		})
		got, err := paced{inner, func() float64 { return c.speed }}.Reconcile(t.Context(), reconcile.Request{})
		if got.RequeueAfter != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %v, %v, want %v", name, got.RequeueAfter, err, c.want)
		}
	}
}
