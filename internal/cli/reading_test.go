package cli

import (
	"context"
	"errors"
	"testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
)

// confined lets one namespace be listed.
type confined struct {
	source.Source
	namespace string
	asked     int
}

func (c *confined) List(_ context.Context, namespace string) ([]v1alpha1.CloudRunRollout, error) {
	c.asked++
	if namespace != c.namespace {
		return nil, errors.New("forbidden")
	}
	ro := v1alpha1.CloudRunRollout{}
	ro.Namespace = namespace
	return []v1alpha1.CloudRunRollout{ro}, nil
}

// TestWhoMayListOneNamespaceIsToldSo: nothing is said of rollouts that could not be
// looked for, and without a gateway nobody is looked for at all.
func TestWhoMayListOneNamespaceIsToldSo(t *testing.T) {
	t.Parallel()
	ro := &v1alpha1.CloudRunRollout{}
	ro.Namespace = "pay"
	src := &confined{namespace: "pay"}
	if got := around(t.Context(), src, ro); src.asked != 0 || got.Namespace != "" {
		t.Errorf("without a gateway %d lists were asked for: %+v", src.asked, got)
	}
	ro.Status.Gateways = []v1alpha1.GatewayStatus{{Name: "nat-1"}}
	if got := around(t.Context(), src, ro); got.Namespace != "pay" || len(got.Others) != 1 {
		t.Errorf("of one namespace: %+v", got)
	}
	src.namespace = ""
	if got := around(t.Context(), src, ro); got.Namespace != "" || len(got.Others) != 1 {
		t.Errorf("of all: %+v", got)
	}
}
