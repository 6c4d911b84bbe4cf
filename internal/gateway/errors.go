package gateway

import (
	"errors"
	"fmt"

	"google.golang.org/api/googleapi"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// CallError is the failure of one call.
type CallError = google.CallError

// errDisabled: the API is not enabled for the caller.
var errDisabled = errors.New("API is not enabled")

// disabledReason is the reason of a google.rpc.ErrorInfo that says so.
const disabledReason = "SERVICE_DISABLED"

// kindOf reads an answer as google.KindOf does, and tells an API that is not enabled
// from a permission that is missing.
func kindOf(answer *googleapi.Error, body google.ErrorBody) error {
	if kind := google.KindOf(answer, body); !errors.Is(kind, google.ErrDenied) || !body.Says(disabledReason) {
		return kind
	}
	return errDisabled
}

// presence is what a failure says of what was asked for. What is neither missing
// nor denied may pass, a token that was refused among it: it is renewed.
func presence(e *CallError) rollout.Presence {
	switch {
	case errors.Is(e.Kind, google.ErrNotFound), errors.Is(e.Kind, google.ErrInvalid):
		return rollout.Missing
	case e.Denied(), errors.Is(e.Kind, errDisabled), errors.Is(e.Kind, errOutside):
		return rollout.Denied
	}
	return rollout.Unknown
}

func garbled(op, format string, args ...any) *CallError {
	return &CallError{Op: op, Kind: google.ErrGarbled, Detail: google.Clean(fmt.Sprintf(format, args...))}
}
