package cloudrun

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/sluice-rollouts/sluice/internal/cloudrun/firewall"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// The kinds of failure. Every error of this package is a *CallError of exactly
// one of them; ask with errors.Is.
var (
	// ErrConflict: the service is not the one that was read. Nothing was written.
	ErrConflict = errors.New("changed since it was read")
	// ErrNamedConflict: Cloud Run saw a template where none was meant to be.
	ErrNamedConflict = errors.New("revision name taken")
	// ErrThrottled: over quota; RetryAfter says how long, when the API did.
	ErrThrottled = errors.New("over quota")
	// ErrDenied: not authenticated, or not permitted.
	ErrDenied = errors.New("access denied")
	// ErrNotFound: the API knows no such resource.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the API, or this package before it, refused the arguments.
	ErrInvalid = errors.New("invalid request")
	// ErrUnavailable: no answer to a read, or none that may be relied on now. Of a
	// write: it was not sent.
	ErrUnavailable = errors.New("unavailable")
	// ErrGarbled: an answer that is not what the API answers.
	ErrGarbled = errors.New("unusable answer")
	// ErrAmbiguous: a write whose fate is not known. Read before anything else.
	ErrAmbiguous = errors.New("answer lost")
	// ErrInterleaved: a write that landed on top of another one.
	ErrInterleaved = errors.New("somebody else wrote in between")
	// ErrRefused: a request that the write firewall did not send; a bug of ours.
	ErrRefused = firewall.ErrRefused
)

// ErrNotAsked stands beside ErrThrottled where the call was not made: Sluice's own
// limit is used up, or the API asked to be left alone. RetryAfter says until when.
var ErrNotAsked = errors.New("not asked")

// CallError is the failure of one call.
type CallError struct {
	Op     string // what was being done: `reading service "web"`
	Kind   error  // one of the kinds above
	Detail string // the API's own words: one line, bounded, without the body
	// RetryAfter is how long the API asked to wait; 0 when it did not ask.
	RetryAfter time.Duration

	status int   // of the HTTP answer; 0 without one
	cause  error // only a context's error, or ErrNotAsked
}

// Error writes the operation, the kind and the API's words.
func (e *CallError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Kind)
	}
	return fmt.Sprintf("%s: %v: %s", e.Op, e.Kind, e.Detail)
}

// Unwrap gives the kind, and the context's error when one ended the call, or
// ErrNotAsked when it was not made.
func (e *CallError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// fact tells whether a failed read is an answer to the question asked.
func (e *CallError) fact() (rollout.Presence, string, bool) {
	switch {
	case errors.Is(e.Kind, ErrNotFound):
		return rollout.Missing, e.Detail, true
	case errors.Is(e.Kind, ErrDenied) && e.status == http.StatusForbidden:
		return rollout.Denied, e.Detail, true
	}
	return "", "", false
}

// readError classifies the failure of a read.
func readError(op string, err error) *CallError {
	if answer, ok := errors.AsType[*googleapi.Error](err); ok {
		return answerError(op, answer)
	}
	kind := ErrGarbled
	switch {
	case errors.Is(err, firewall.ErrRefused):
		kind = ErrRefused
	case google.Lost(err):
		kind = ErrUnavailable
	}
	return &CallError{Op: op, Kind: kind, Detail: detail(err), cause: google.ContextError(err)}
}

// writeError classifies the failure of a write. Only an answer that says so
// plainly proves that nothing was written: a 5xx does not, because the write may
// have been accepted behind it.
func writeError(op string, err error, note *sent) *CallError {
	failure := readError(op, err)
	switch {
	case failure.definite() || errors.Is(failure.Kind, ErrRefused):
		return failure
	case failure.status == 0 && !note.maybe(err):
		failure.Kind = ErrUnavailable
		return failure
	}
	failure.Kind = ErrAmbiguous
	return failure
}

// definite tells whether the API said that it did not do what it was asked.
func (e *CallError) definite() bool {
	for _, kind := range []error{ErrConflict, ErrNamedConflict, ErrThrottled, ErrDenied, ErrNotFound, ErrInvalid} {
		if errors.Is(e.Kind, kind) {
			return true
		}
	}
	return false
}

// detail is what a transport says, without the kind where that is said before it.
func detail(err error) string {
	return strings.TrimPrefix(google.Detail(err), firewall.ErrRefused.Error()+": ")
}

// answerError classifies an answer with a status other than 2xx.
func answerError(op string, answer *googleapi.Error) *CallError {
	body := google.ReadError(answer.Body)
	failure := &CallError{
		Op: op, Kind: kindOf(answer.Code, body), Detail: google.Clean(body.Error.Message),
		RetryAfter: google.RetryAfter(answer.Header, body), status: answer.Code,
	}
	if failure.Detail == "" {
		failure.Detail = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", answer.Code, http.StatusText(answer.Code)))
	}
	return failure
}

// kindOf reads the HTTP status, and the canonical one beside it. That something
// does not exist is believed only from the API itself, not from a proxy's page.
func kindOf(code int, body google.ErrorBody) error {
	status, message := body.Error.Status, body.Error.Message
	switch {
	case code == http.StatusTooManyRequests || status == "RESOURCE_EXHAUSTED":
		return ErrThrottled
	case code == http.StatusConflict && (status == "ALREADY_EXISTS" || strings.HasPrefix(message, "Revision named")):
		return ErrNamedConflict
	case code == http.StatusConflict || code == http.StatusPreconditionFailed:
		return ErrConflict
	case code == http.StatusForbidden || code == http.StatusUnauthorized:
		return ErrDenied
	case code == http.StatusNotFound && status == "" && message == "":
		return ErrGarbled
	case code == http.StatusNotFound:
		return ErrNotFound
	case code == http.StatusBadRequest:
		return ErrInvalid
	case code >= http.StatusInternalServerError || code == http.StatusRequestTimeout:
		return ErrUnavailable
	}
	return ErrGarbled
}
