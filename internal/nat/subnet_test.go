package nat

import (
	"testing"

	"pgregory.net/rapid"
)

func TestInstancesTakeAddressesInBlocks(t *testing.T) {
	t.Parallel()
	for instances, want := range map[int64]int64{-1: 0, 0: 0, 1: 16, 8: 16, 9: 32, 48: 96} {
		if got := AddressesOf(instances); got != want {
			t.Errorf("%d instances take %d addresses, want %d", instances, got, want)
		}
	}
}

func TestASubnetHasRoomForWholeBlocks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subnet Subnet
		want   int64
	}{
		"an empty /26":        {Subnet{Size: 60}, 24},
		"a block less one":    {Subnet{Size: 60, Taken: 45}, 0},
		"a block":             {Subnet{Size: 60, Taken: 44}, 8},
		"more than there are": {Subnet{Size: 60, Taken: 99}, 0},
		"nobody knows":        {Subnet{Taken: 99}, unlimited},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.subnet.Instances(); got != c.want {
				t.Errorf("room for %d instances, want %d", got, c.want)
			}
		})
	}
}

// TestWhatEndsGivesBackNoMoreThanItTook, and only whole blocks.
func TestWhatEndsGivesBackNoMoreThanItTook(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, ended := anySubnet(t), upTo(t, 40, "ended")
		after := s.Without(ended)
		back := s.Taken - after.Taken
		if back < 0 || back > ended*AddressesPerInstance || after.Taken > 0 && back%AddressBlock != 0 {
			t.Fatalf("%d instances give back %d of %d addresses", ended, back, s.Taken)
		}
	})
}
