package nat

import "testing"

func TestWhatAShiftLeavesBehindIsGoneInTime(t *testing.T) {
	t.Parallel()
	got := LingersUntil(noon)
	if !got.Instances.Equal(at(15)) {
		t.Errorf("idle instances are kept for 15 minutes: got %s", got.Instances)
	}
	if !got.Addresses.Equal(at(35)) {
		t.Errorf("their addresses are kept for 20 minutes more: got %s", got.Addresses)
	}
}
