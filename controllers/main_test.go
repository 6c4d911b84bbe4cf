package controllers

import (
	"os"
	"testing"

	"github.com/sluice-rollouts/sluice/test/controlplane"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{}))
}
