package google

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrorBody is the error body of Google's APIs (AIP-193). Compute has no status
// and no details in it, but an older list of reasons.
type ErrorBody struct {
	Error struct {
		Message string `json:"message"`
		Status  string `json:"status"`
		Details []struct {
			Type       string `json:"@type"`
			RetryDelay string `json:"retryDelay"`
			Reason     string `json:"reason"`
		} `json:"details"`
	} `json:"error"`
}

// ReadError reads an error body. One that is none leaves nothing.
func ReadError(text string) ErrorBody {
	var body ErrorBody
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return ErrorBody{}
	}
	return body
}

// Says tells whether a google.rpc.ErrorInfo gives that reason.
func (b ErrorBody) Says(reason string) bool {
	for _, d := range b.Error.Details {
		if d.Reason == reason && strings.HasSuffix(d.Type, "/google.rpc.ErrorInfo") {
			return true
		}
	}
	return false
}

// Lost tells whether no whole answer arrived. What is left is an answer that
// arrived and cannot be read.
func Lost(err error) bool {
	_, network := errors.AsType[net.Error](err)
	_, transport := errors.AsType[*url.Error](err)
	return network || transport || ContextError(err) != nil || errors.Is(err, io.ErrUnexpectedEOF)
}

// ContextError is the context's error that ended a call, nil when none did.
func ContextError(err error) error {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return cause
		}
	}
	return nil
}

// Detail writes a transport's error without the URL, which the operation names.
func Detail(err error) string {
	if transport, ok := errors.AsType[*url.Error](err); ok {
		err = transport.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return Clean(err.Error())
}

// maxRetryAfter bounds what a server may ask for.
const maxRetryAfter = time.Hour

// RetryAfter is how long an answer asks to wait: the larger of its Retry-After
// and its google.rpc.RetryInfo; 0 when it does not ask.
func RetryAfter(header http.Header, body ErrorBody) time.Duration {
	wait := retryHeader(header)
	for _, d := range body.Error.Details {
		if delay, err := time.ParseDuration(d.RetryDelay); err == nil && strings.HasSuffix(d.Type, "/google.rpc.RetryInfo") {
			wait = max(wait, delay)
		}
	}
	return min(max(wait, 0), maxRetryAfter)
}

// retryHeader reads Retry-After: seconds, or a date, which is compared with the
// answer's own date and not with our clock (RFC 9110, 10.2.3).
func retryHeader(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, untilErr := http.ParseTime(value)
	now, nowErr := http.ParseTime(header.Get("Date"))
	if untilErr != nil || nowErr != nil {
		return 0
	}
	return until.Sub(now)
}
