package configconnector_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/configconnector"
)

// apart puts the world into another process, as far as Config Connector can tell.
func apart(t *testing.T) *town {
	t.Helper()
	town := newTown(t)
	guard := wire.NewGuard(town.world, clocktesting.NewFakePassiveClock(town.world.Now()))
	server := httptest.NewServer(wire.CloudRun(guard))
	t.Cleanup(server.Close)
	town.connector = configconnector.New(town.client, configconnector.At(server.URL, town.world.Now))
	return town
}

func TestAWorldInAnotherProcessIsKeptAlike(t *testing.T) {
	t.Parallel()
	town := apart(t)
	since := town.logged()
	town.applyTraffic("sluice/traffic", entry(town.new, 5), entry(town.old, 95))
	town.settle()
	if diff := cmp.Diff(map[string]int{town.new: 5, town.old: 95}, town.serves()); diff != "" {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
	if reason, message := town.condition(); reason != "UpToDate" {
		t.Errorf("Ready is %s: %s", reason, message)
	}
	if n := len(town.updates(since)); n != 1 {
		t.Errorf("%d updates in the name of Config Connector, want 1", n)
	}
}

func TestWhatAnotherProcessRefusesIsToldWithItsReason(t *testing.T) {
	t.Parallel()
	town := apart(t)
	town.applyTraffic("sluice/traffic", entry("web-of-nobody", 100))
	town.run()
	town.world.Advance(10 * time.Second)
	town.run()
	reason, message := town.condition()
	if reason != "UpdateFailed" || !strings.Contains(message, "web-of-nobody") {
		t.Errorf("Ready is %s: %s", reason, message)
	}
}

func TestAWorldThatIsGoneIsAFailedUpdate(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	server := httptest.NewServer(nil)
	server.Close()
	town.connector = configconnector.New(town.client, configconnector.At(server.URL, town.world.Now))
	town.applyTraffic("sluice/traffic", entry(town.new, 100))
	town.run()
	if reason, message := town.condition(); reason != "UpdateFailed" || !strings.Contains(message, "refused") {
		t.Errorf("Ready is %s: %s", reason, message)
	}
}
