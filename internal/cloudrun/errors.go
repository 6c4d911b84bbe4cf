package cloudrun

import (
	"errors"
	"net/http"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/sluice-rollouts/sluice/internal/cloudrun/firewall"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// The kinds of failure. Every error of this package is a *CallError of exactly
// one of them; ask with errors.Is.
var (
	ErrThrottled = google.ErrThrottled // RetryAfter says how long, when the API did
	ErrDenied    = google.ErrDenied
	ErrNotFound  = google.ErrNotFound
	ErrInvalid   = google.ErrInvalid
	// ErrUnavailable: as elsewhere of a read. Of a write: it was not sent.
	ErrUnavailable = google.ErrUnavailable
	ErrGarbled     = google.ErrGarbled
	// ErrConflict: the service is not the one that was read. Nothing was written.
	ErrConflict = errors.New("changed since it was read")
	// ErrNamedConflict: Cloud Run saw a template where none was meant to be.
	ErrNamedConflict = errors.New("revision name taken")
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
type CallError = google.CallError

// fact tells whether a failed read is an answer to the question asked.
func fact(e *CallError) (rollout.Presence, string, bool) {
	switch {
	case errors.Is(e.Kind, ErrNotFound):
		return rollout.Missing, e.Detail, true
	case e.Denied():
		return rollout.Denied, e.Detail, true
	}
	return "", "", false
}

// readError classifies the failure of a read.
func readError(op string, err error) *CallError {
	failure := google.Failed(op, err, kindOf)
	if errors.Is(err, firewall.ErrRefused) {
		failure.Kind, failure.Detail = ErrRefused, detail(err)
	}
	return failure
}

// writeError classifies the failure of a write. Only an answer that says so
// plainly proves that nothing was written: a 5xx does not, because the write may
// have been accepted behind it.
func writeError(op string, err error, note *sent) *CallError {
	failure := readError(op, err)
	switch {
	case definite(failure) || errors.Is(failure.Kind, ErrRefused):
		return failure
	case failure.Status == 0 && !note.maybe(err):
		failure.Kind = ErrUnavailable
		return failure
	}
	failure.Kind = ErrAmbiguous
	return failure
}

// definite tells whether the API said that it did not do what it was asked.
func definite(e *CallError) bool {
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

// kindOf tells conflicts apart from what all APIs answer.
func kindOf(answer *googleapi.Error, body google.ErrorBody) error {
	kind, code := google.KindOf(answer, body), answer.Code
	named := body.Error.Status == "ALREADY_EXISTS" || strings.HasPrefix(body.Error.Message, "Revision named")
	switch {
	case errors.Is(kind, ErrThrottled):
		return kind
	case code == http.StatusConflict && named:
		return ErrNamedConflict
	case code == http.StatusConflict || code == http.StatusPreconditionFailed:
		return ErrConflict
	}
	return kind
}
