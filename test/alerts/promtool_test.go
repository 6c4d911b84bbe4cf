package alerts

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// needs is the variable that names the programs that must be there.
const needs = "SLUICE_NEEDS"

// promtool runs it, and fails the test with what it says.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil && strings.Contains(os.Getenv(needs), "promtool") {
		t.Fatal("promtool is not installed; on Debian it is in the package prometheus")
	}
	if err != nil {
		t.Skip("promtool is not installed; on Debian it is in the package prometheus")
	}
	if said, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
	}
}
