package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// The kinds of failure. Every *CallError is of exactly one of them; ask with
// errors.Is.
var (
	// ErrDenied: not authenticated, or not permitted.
	ErrDenied = errors.New("access denied")
	// ErrNotFound: the API knows no such resource.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the API refused the arguments, as for a region that is none.
	ErrInvalid = errors.New("invalid request")
	// ErrThrottled: over quota, the API's or our own.
	ErrThrottled = errors.New("over quota")
	// ErrUnavailable: no answer, or none that may be relied on now.
	ErrUnavailable = errors.New("unavailable")
	// ErrGarbled: an answer that is not what the API answers.
	ErrGarbled = errors.New("unusable answer")
)

// CallError is the failure of one call.
type CallError struct {
	Op     string // what was being done: `reading router r1 of acme-net`
	Kind   error  // one of the kinds above
	Detail string // the API's own words: one line, bounded, without the body
	// RetryAfter is how long the API asked to wait; 0 when it did not ask.
	RetryAfter time.Duration

	status int   // of the HTTP answer; 0 without one
	cause  error // only a context's error
}

// Error writes the operation, the kind and the API's words.
func (e *CallError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Kind)
	}
	return fmt.Sprintf("%s: %v: %s", e.Op, e.Kind, e.Detail)
}

// Unwrap gives the kind, and the context's error when one ended the call.
func (e *CallError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// presence is what a failure says of what was asked for. What is neither missing
// nor denied may pass, a token that was refused among it: it is renewed.
func (e *CallError) presence() rollout.Presence {
	switch {
	case errors.Is(e.Kind, ErrNotFound), errors.Is(e.Kind, ErrInvalid):
		return rollout.Missing
	case errors.Is(e.Kind, ErrDenied) && e.status == http.StatusForbidden:
		return rollout.Denied
	}
	return rollout.Unknown
}

func garbled(op, format string, args ...any) *CallError {
	return &CallError{Op: op, Kind: ErrGarbled, Detail: google.Clean(fmt.Sprintf(format, args...))}
}

// readError classifies the failure of a call.
func readError(op string, err error) *CallError {
	if answer, ok := errors.AsType[*googleapi.Error](err); ok {
		return answerError(op, answer)
	}
	kind := ErrGarbled
	if google.Lost(err) {
		kind = ErrUnavailable
	}
	return &CallError{Op: op, Kind: kind, Detail: google.Detail(err), cause: google.ContextError(err)}
}

// answerError classifies an answer with a status other than 2xx.
func answerError(op string, answer *googleapi.Error) *CallError {
	body := google.ReadError(answer.Body)
	failure := &CallError{
		Op: op, Kind: kindOf(answer, body), Detail: google.Clean(body.Error.Message),
		RetryAfter: google.RetryAfter(answer.Header, body), status: answer.Code,
	}
	if failure.Detail == "" {
		failure.Detail = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", answer.Code, http.StatusText(answer.Code)))
	}
	return failure
}

// overQuota are the reasons with which Compute answers 403, not 429, when the
// quota is used up (hashicorp/terraform-provider-google#8360).
var overQuota = []string{"rateLimitExceeded", "userRateLimitExceeded"}

// kindOf reads the HTTP status and what is beside it. That something does not
// exist is believed only from the API itself, not from a proxy's page.
func kindOf(answer *googleapi.Error, body google.ErrorBody) error {
	throttled := slices.ContainsFunc(answer.Errors, func(e googleapi.ErrorItem) bool {
		return slices.Contains(overQuota, e.Reason)
	})
	switch code := answer.Code; {
	case throttled || code == http.StatusTooManyRequests || body.Error.Status == "RESOURCE_EXHAUSTED":
		return ErrThrottled
	case code == http.StatusForbidden || code == http.StatusUnauthorized:
		return ErrDenied
	case code == http.StatusNotFound && body.Error.Message != "":
		return ErrNotFound
	case code == http.StatusBadRequest:
		return ErrInvalid
	case code >= http.StatusInternalServerError || code == http.StatusRequestTimeout:
		return ErrUnavailable
	}
	return ErrGarbled
}
