package controlplane_test

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/controlplane/assets"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{CRDs: []string{}}))
}

func TestServerTellsItsVersion(t *testing.T) {
	client := kubernetes.NewForConfigOrDie(plane.Config)
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	// A build without the version flags says v0.0.0-master.
	if version.Major != "1" || version.Minor != "37" {
		t.Errorf("server version = %s (major %q, minor %q), want a 1.37 release",
			version.GitVersion, version.Major, version.Minor)
	}
}

func TestKubeconfigReachesTheServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := plane.WriteKubeconfig(path); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "reach-"}}
	client := kubernetes.NewForConfigOrDie(config)
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), space, metav1.CreateOptions{}); err != nil {
		t.Error(err)
	}
}

func TestUserMayDoNothingUnlessAllowed(t *testing.T) {
	config, err := plane.User("somebody", "people")
	if err != nil {
		t.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	_, err = client.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("listing secrets as a user without a role: %v, want forbidden", err)
	}
}

func TestIndexIsTheOneOfEnvtest(t *testing.T) {
	if assets.Index != envtest.DefaultBinaryAssetsIndexURL {
		t.Errorf("index = %s, want %s", assets.Index, envtest.DefaultBinaryAssetsIndexURL)
	}
}
