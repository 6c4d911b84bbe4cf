package config

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// TestTheManagerRunsWithItsOwnAccount starts the real one, with a token of the
// account that was installed: it becomes the leader, follows rollouts, is refused
// nothing, and tells its token to nobody, however much it logs. There is no Cloud Run
// behind it.
func TestTheManagerRunsWithItsOwnAccount(t *testing.T) {
	made := sample(t)
	binary := filepath.Join(t.TempDir(), "sluice")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir = "../.."
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	said := &log{}
	kubeconfig, token := ownKubeconfig(t)
	cmd := exec.CommandContext(t.Context(), binary, "--kubeconfig", kubeconfig, "--zap-log-level", "10",
		"--leader-election-namespace", home, "--health-probe-bind-address", "0", "--dashboard-bind-address", "0", "--metrics-bind-address", "127.0.0.1:0",
		"--cloud-run-endpoint", "http://127.0.0.1:1", "--monitoring-endpoint", "http://127.0.0.1:1",
		"--compute-endpoint", "http://127.0.0.1:1", "--vpc-access-endpoint", "http://127.0.0.1:1")
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be gone
		_ = cmd.Wait()
		dropLease(t)
	})

	for deadline := time.Now().Add(time.Minute); !said.has(made.GetName()); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not reach the rollout:\n%s", said)
		}
	}
	lease, err := admin(t).CoordinationV1().Leases(home).Get(t.Context(), "sluice.rollouts.sluice.dev", metav1.GetOptions{})
	if err != nil || lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		t.Errorf("nobody holds the lease: %+v (%v)", lease, err)
	}
	if said.has("forbidden") {
		t.Errorf("it was refused something:\n%s", said)
	}
	if said.has(token) {
		t.Error("its token is in its log")
	}
}

// ownKubeconfig lets in the manager's account, with the token that it returns too.
func ownKubeconfig(t *testing.T) (path, bearer string) {
	t.Helper()
	token, err := admin(t).CoreV1().ServiceAccounts(home).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["it"] = &clientcmdapi.Cluster{Server: plane.Config.Host, CertificateAuthorityData: plane.Config.CAData}
	config.AuthInfos["it"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	config.Contexts["it"] = &clientcmdapi.Context{Cluster: "it", AuthInfo: "it"}
	config.CurrentContext = "it"
	path = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path, token.Status.Token
}

// log is what a program says, to be looked at while it runs.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *log) has(word string) bool { return strings.Contains(l.String(), word) }
