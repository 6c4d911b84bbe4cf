// Package e2e_test plays whole stories: a real kube-apiserver, the reconciler and
// the real Google clients over loopback, a world in told time, and kubectl.
package e2e_test

import (
	"os"
	"testing"

	"github.com/sluice-rollouts/sluice/test/controlplane"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{CRDs: []string{"../../config/crd/bases", "../configconnector/crd"}}))
}
