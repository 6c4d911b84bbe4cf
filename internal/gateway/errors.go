package gateway

import (
	"errors"
	"fmt"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// CallError is the failure of one call.
type CallError = google.CallError

// presence is what a failure says of what was asked for. What is neither missing
// nor denied may pass, a token that was refused among it: it is renewed.
func presence(e *CallError) rollout.Presence {
	switch {
	case errors.Is(e.Kind, google.ErrNotFound), errors.Is(e.Kind, google.ErrInvalid):
		return rollout.Missing
	case e.Denied():
		return rollout.Denied
	}
	return rollout.Unknown
}

func garbled(op, format string, args ...any) *CallError {
	return &CallError{Op: op, Kind: google.ErrGarbled, Detail: google.Clean(fmt.Sprintf(format, args...))}
}
