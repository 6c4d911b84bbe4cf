package google

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/googleapi"
)

// The kinds of failure that all APIs have. Every *CallError is of exactly one kind;
// ask with errors.Is.
var (
	// ErrThrottled: over quota, the API's or our own.
	ErrThrottled = errors.New("over quota")
	// ErrDenied: not authenticated, or not permitted.
	ErrDenied = errors.New("access denied")
	// ErrNotFound: the API knows no such resource.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the API, or we before it, refused the arguments.
	ErrInvalid = errors.New("invalid request")
	// ErrUnavailable: no answer, or none that may be relied on now.
	ErrUnavailable = errors.New("unavailable")
	// ErrGarbled: an answer that is not what the API answers.
	ErrGarbled = errors.New("unusable answer")
)

// CallError is the failure of one call over HTTP.
type CallError struct {
	Op     string // what was being done: `reading service "web"`
	Kind   error  // one of the kinds above, or one of the API's own
	Detail string // the API's own words: one line, bounded, without the body
	// RetryAfter is how long the API asked to wait; 0 when it did not ask.
	RetryAfter time.Duration

	Status int   // of the HTTP answer; 0 without one
	Cause  error // why there is none: a context's error, or that none was asked for
}

// Error writes the operation, the kind and the API's words.
func (e *CallError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Kind)
	}
	return fmt.Sprintf("%s: %v: %s", e.Op, e.Kind, e.Detail)
}

// Unwrap gives the kind, and the cause where there is one.
func (e *CallError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// Denied tells whether the API said that we may not, and knew who asked, or that we may
// not act as who should ask. A token that was refused is renewed.
func (e *CallError) Denied() bool {
	_, nobody := errors.AsType[*IdentityError](e.Cause)
	return errors.Is(e.Kind, ErrDenied) && (e.Status == http.StatusForbidden || nobody)
}

// Failed classifies the failure of a call, an answer with a status other than 2xx
// by kindOf.
func Failed(op string, err error, kindOf func(*googleapi.Error, ErrorBody) error) *CallError {
	if nobody, ok := errors.AsType[*IdentityError](err); ok {
		return &CallError{Op: op, Kind: nobody.Kind, Detail: nobody.Detail, Cause: nobody}
	}
	answer, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		kind := ErrGarbled
		if Lost(err) {
			kind = ErrUnavailable
		}
		return &CallError{Op: op, Kind: kind, Detail: Detail(err), Cause: ContextError(err)}
	}
	body := ReadError(answer.Body)
	failure := &CallError{
		Op: op, Kind: kindOf(answer, body), Detail: Clean(body.Error.Message),
		RetryAfter: RetryAfter(answer.Header, body), Status: answer.Code,
	}
	if failure.Detail == "" {
		failure.Detail = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", answer.Code, http.StatusText(answer.Code)))
	}
	return failure
}

// overQuota are the reasons with which Compute answers 403, not 429, when the
// quota is used up (hashicorp/terraform-provider-google#8360).
var overQuota = []string{"rateLimitExceeded", "userRateLimitExceeded"}

// KindOf reads the HTTP status and what is beside it. That something does not
// exist is believed only from the API itself, not from a proxy's page.
func KindOf(answer *googleapi.Error, body ErrorBody) error {
	throttled := slices.ContainsFunc(answer.Errors, func(e googleapi.ErrorItem) bool {
		return slices.Contains(overQuota, e.Reason)
	})
	switch code := answer.Code; {
	case throttled || code == http.StatusTooManyRequests || body.Error.Status == "RESOURCE_EXHAUSTED":
		return ErrThrottled
	case code == http.StatusForbidden || code == http.StatusUnauthorized:
		return ErrDenied
	case code == http.StatusNotFound && (body.Error.Status != "" || body.Error.Message != ""):
		return ErrNotFound
	case code == http.StatusBadRequest:
		return ErrInvalid
	case code >= http.StatusInternalServerError || code == http.StatusRequestTimeout:
		return ErrUnavailable
	}
	return ErrGarbled
}
