package google

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"google.golang.org/api/googleapi"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	answered := func(code int, body string, reasons ...string) *googleapi.Error {
		e := &googleapi.Error{Code: code, Body: body, Header: http.Header{"Retry-After": {"7"}}}
		for _, reason := range reasons {
			e.Errors = append(e.Errors, googleapi.ErrorItem{Reason: reason})
		}
		return e
	}
	cases := map[string]struct {
		err  error
		kind error
		text string
	}{
		"over quota":                         {answered(429, ``), ErrThrottled, "reading: over quota: HTTP 429 Too Many Requests"},
		"over quota, by its status":          {answered(403, `{"error":{"status":"RESOURCE_EXHAUSTED","message":"slow"}}`), ErrThrottled, "reading: over quota: slow"},
		"over quota, by a reason of Compute": {answered(403, `{"error":{"message":"slow"}}`, "rateLimitExceeded"), ErrThrottled, "reading: over quota: slow"},
		"denied":                             {answered(403, `{"error":{"message":"no\nway"}}`), ErrDenied, "reading: access denied: no way"},
		"not authenticated":                  {answered(401, ``), ErrDenied, "reading: access denied: HTTP 401 Unauthorized"},
		"missing":                            {answered(404, `{"error":{"message":"gone"}}`), ErrNotFound, "reading: not found: gone"},
		"missing, says a proxy":              {answered(404, `<html>`), ErrGarbled, "reading: unusable answer: HTTP 404 Not Found"},
		"invalid":                            {answered(400, ``), ErrInvalid, "reading: invalid request: HTTP 400 Bad Request"},
		"a failure of the API's own":         {answered(503, ``), ErrUnavailable, "reading: unavailable: HTTP 503 Service Unavailable"},
		"a code that nobody knows":           {answered(299, ``), ErrGarbled, "reading: unusable answer: HTTP 299"},
		"no answer in time":                  {&url.Error{Op: "Get", Err: context.DeadlineExceeded}, ErrUnavailable, "reading: unavailable: no answer in time"},
		"half an answer":                     {io.ErrUnexpectedEOF, ErrUnavailable, "reading: unavailable: unexpected EOF"},
		"an answer that is none":             {errors.New("invalid character"), ErrGarbled, "reading: unusable answer: invalid character"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Failed("reading", c.err, KindOf)
			if !errors.Is(got, c.kind) || got.Error() != c.text {
				t.Errorf("%v, want %q", got, c.text)
			}
			answer, ok := errors.AsType[*googleapi.Error](c.err)
			if ok && (got.Status != answer.Code || got.RetryAfter != 7*time.Second || got.Cause != nil) {
				t.Errorf("status %d, retry after %s, cause %v", got.Status, got.RetryAfter, got.Cause)
			}
			if got.Denied() != (name == "denied") {
				t.Errorf("denied: %v", got.Denied())
			}
		})
	}
}

func TestAContextsErrorIsFoundInTheFailure(t *testing.T) {
	t.Parallel()
	got := Failed("reading", &url.Error{Op: "Get", Err: context.Canceled}, KindOf)
	if !errors.Is(got, context.Canceled) || !errors.Is(got, ErrUnavailable) {
		t.Errorf("%v", got)
	}
	if bare := (&CallError{Op: "reading", Kind: ErrGarbled}); bare.Error() != "reading: unusable answer" {
		t.Errorf("%v", bare)
	}
}
