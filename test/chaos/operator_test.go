package chaos

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/manager"
)

// operator is a manager with ways of its own to the apiserver and to Cloud Run.
type operator struct {
	stage   *stage
	kube    *kubeWay
	run     *runWay
	binary  string
	args    []string
	env     []string
	process *manager.Process
	said    *manager.Tail
}

// lease is how long one lasts. It is short, and passes in real time.
const lease = 4 * time.Second

// elected lets one of several act.
func elected(namespace string) []string {
	return []string{
		"--leader-election-namespace", namespace, "--leader-election-lease-duration", lease.String(),
		"--leader-election-renew-deadline", "3s", "--leader-election-retry-period", "500ms",
	}
}

// alone lets it act at once.
var alone = []string{"--leader-elect=false"}

// newOperator prepares a manager that knows the object's namespace only.
func (s *stage) newOperator(args ...string) *operator {
	return s.newOperatorAs(s.plane.Config, args...)
}

// newOperatorAs is newOperator with the rights of somebody.
func (s *stage) newOperatorAs(who *rest.Config, args ...string) *operator {
	s.t.Helper()
	s.operators++
	name := fmt.Sprintf("manager-%d", s.operators)
	o := &operator{
		stage: s, kube: newKubeWay(s, name, who), run: newRunWay(s.world, name), binary: binary, said: &manager.Tail{},
	}
	kube, run := httptest.NewServer(o.kube), httptest.NewServer(o.run)
	s.t.Cleanup(run.Close)
	s.t.Cleanup(kube.Close)
	s.t.Cleanup(o.run.letGo)
	s.t.Cleanup(o.kube.hangUp)
	s.t.Cleanup(func() {
		o.kill()
		if s.t.Failed() {
			s.t.Log(o.said)
		}
	})
	config := filepath.Join(s.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"chaos": {Server: kube.URL}},
		Contexts:       map[string]*clientcmdapi.Context{"chaos": {Cluster: "chaos"}},
		CurrentContext: "chaos",
	}, config); err != nil {
		s.t.Fatal(err)
	}
	o.args = slices.Concat([]string{
		"--kubeconfig", config, "--health-probe-bind-address", "0", "--cloud-run-endpoint", run.URL,
		"--compute-endpoint", s.compute, "--vpc-access-endpoint", s.vpcAccess, "--monitoring-endpoint", s.metrics, "--simulated-clock", s.control,
	}, args)
	return o
}

func (o *operator) start() *operator {
	o.stage.t.Helper()
	o.process = manager.New(o.binary, o.args, o.said, o.env...)
	if err := o.process.Start(); err != nil {
		o.stage.t.Fatal(err)
	}
	return o
}

// startLeading starts it and waits until it has looked at the object. One that ends
// before, as it does where a busy machine keeps its first calls waiting, is started
// again as a kubelet does.
func (o *operator) startLeading() *operator {
	o.stage.t.Helper()
	o.start()
	o.stage.await("the first manager leads", func() bool {
		select {
		case <-o.process.Done():
			o.start()
		default:
		}
		return o.stage.get().Status.Phase != ""
	})
	return o
}

// kill ends it with SIGKILL.
func (o *operator) kill() {
	if o.process != nil {
		o.process.Kill()
		o.process = nil
	}
}

func (o *operator) signal(signal syscall.Signal) {
	o.stage.t.Helper()
	if err := o.process.Signal(signal); err != nil {
		o.stage.t.Fatal(err)
	}
}

// exits waits until it has ended by itself.
func (o *operator) exits() {
	o.stage.t.Helper()
	o.stage.await("the manager exits", func() bool {
		select {
		case <-o.process.Done():
			return true
		default:
			return false
		}
	})
}

// rolloutOf reads an object's status in a body.
func rolloutOf(body []byte) (*v1alpha1.CloudRunRollout, error) {
	ro := &v1alpha1.CloudRunRollout{}
	err := decode(body, ro)
	return ro, err
}

func addressOf(config *rest.Config) *url.URL {
	address, err := url.Parse(config.Host)
	if err != nil {
		panic(err)
	}
	return address
}
