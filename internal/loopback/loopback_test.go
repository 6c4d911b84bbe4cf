package loopback_test

import (
	"testing"

	"github.com/sluice-rollouts/sluice/internal/loopback"
)

func TestAnAddressIsOnLoopbackWhereNoOtherMachineReachesIt(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:8082": true, "127.9.9.9:0": true, "localhost:8082": true, "[::1]:8082": true,
		":8444": false, "0.0.0.0:8444": false, "[::]:8444": false, "10.0.0.1:8444": false, "sluice.example:443": false,
		"127.0.0.1": false, "0": false, "": false,
	} {
		if got := loopback.Address(address); got != want {
			t.Errorf("%q: %t", address, got)
		}
	}
}

func TestARequestIsForThisMachineByItsNameAlone(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"127.0.0.1:8082": true, "127.0.0.1": true, "localhost:8082": true, "localhost": true, "[::1]:8082": true, "[::1]": true,
		"evil.example:8082": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false, "10.0.0.1:8082": false, "": false,
	} {
		if got := loopback.Host(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
}
