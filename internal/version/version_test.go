package version

import "testing"

// TestAReleaseSaysWhichItIs: what else a binary knows of itself is only for those that are
// none.
func TestAReleaseSaysWhichItIs(t *testing.T) {
	if String() == "" {
		t.Error("a binary that is no release says nothing")
	}
	released = "v1.2.3"
	t.Cleanup(func() { released = "" })
	if got := String(); got != "v1.2.3" {
		t.Errorf("it says %s", got)
	}
}
