package series

import (
	"fmt"
	"time"
)

// Code is the canonical name of a status code, as in google.rpc.Code.
type Code string

// Codes that the store itself returns or that a fault is likely to want.
const (
	InvalidArgument   Code = "INVALID_ARGUMENT"
	NotFound          Code = "NOT_FOUND"
	PermissionDenied  Code = "PERMISSION_DENIED"
	ResourceExhausted Code = "RESOURCE_EXHAUSTED"
	DeadlineExceeded  Code = "DEADLINE_EXCEEDED"
	Unavailable       Code = "UNAVAILABLE"
	Internal          Code = "INTERNAL"
	Unimplemented     Code = "UNIMPLEMENTED"
)

// Error is what a query fails with.
type Error struct {
	Code    Code
	Message string
	// Reason and Metadata become a google.rpc.ErrorInfo of the domain
	// googleapis.com when Reason is set.
	Reason   string
	Metadata map[string]string
	// RetryAfter becomes a google.rpc.RetryInfo when it is not 0.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

func invalid(format string, args ...any) *Error {
	return &Error{Code: InvalidArgument, Message: fmt.Sprintf(format, args...)}
}

// invalidField has the form that the real service gives its complaints:
// `Field aggregation.perSeriesAligner had an invalid value of "ALIGN_RATE": ...`.
func invalidField(field, value, why string) *Error {
	return invalid("Field %s had an invalid value of %q: %s", field, value, why)
}

// RateLimited is the error of a project that asks more than 6000 times a minute.
// The code, the reason and the limit are as in facts/cloud-run-and-nat.md 5; the
// wording is that of other Google services.
func RateLimited(project string) *Error {
	return &Error{
		Code: ResourceExhausted,
		Message: "Quota exceeded for quota metric 'Time series queries' and limit 'Time series queries per minute'" +
			" of service 'monitoring.googleapis.com' for consumer 'project:" + project + "'.",
		Reason: "RATE_LIMIT_EXCEEDED",
		Metadata: map[string]string{
			"consumer":          "projects/" + project,
			"quota_limit":       "QueryRequestsPerMinutePerProject",
			"quota_limit_value": "6000",
			"quota_location":    "global",
			"quota_metric":      "monitoring.googleapis.com/query_requests",
			"service":           "monitoring.googleapis.com",
		},
	}
}
