package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// APIError is a refusal as the Google APIs phrase it. Code is the HTTP status.
type APIError struct {
	Code       int
	Status     string
	Message    string
	Details    []map[string]any
	RetryAfter time.Duration
}

// Error implements error.
func (e *APIError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Code, e.Status, e.Message)
}

// ErrAnswerLost says that a call may have taken effect, but its answer never
// arrived. It comes from the faults drop and park; the REST skin closes the
// connection instead.
var ErrAnswerLost = errors.New("the answer was lost")

// statusNames are the canonical names that go with the HTTP codes.
var statusNames = map[int]string{
	http.StatusBadRequest:          "INVALID_ARGUMENT",
	http.StatusUnauthorized:        "UNAUTHENTICATED",
	http.StatusForbidden:           "PERMISSION_DENIED",
	http.StatusNotFound:            "NOT_FOUND",
	http.StatusConflict:            "ABORTED",
	http.StatusTooManyRequests:     "RESOURCE_EXHAUSTED",
	http.StatusInternalServerError: "INTERNAL",
	http.StatusServiceUnavailable:  "UNAVAILABLE",
	http.StatusGatewayTimeout:      "DEADLINE_EXCEEDED",
}

func statusName(code int) string {
	if name, ok := statusNames[code]; ok {
		return name
	}
	return "UNKNOWN"
}

func invalid(field, format string, args ...any) *APIError {
	message := fmt.Sprintf(format, args...)
	return &APIError{
		Code: http.StatusBadRequest, Status: statusName(http.StatusBadRequest), Message: message,
		Details: []map[string]any{{
			"@type":           "type.googleapis.com/google.rpc.BadRequest",
			"fieldViolations": []map[string]string{{"field": field, "description": message}},
		}},
	}
}

func serviceNotFound(n serviceName) *APIError {
	return notFound(n, n.Service, "SERVICE")
}

func notFound(n serviceName, resource, kind string) *APIError {
	return &APIError{
		Code: http.StatusNotFound, Status: statusName(http.StatusNotFound),
		Message: fmt.Sprintf("Resource '%s' of kind '%s' in region '%s' in project '%s' does not exist.",
			resource, kind, n.Location, n.Project),
	}
}

func versionConflict(service, etag string, current Timestamp) *APIError {
	return &APIError{
		Code: http.StatusConflict, Status: "ABORTED",
		Message: fmt.Sprintf("Conflict for resource '%s': version '%d' was specified but current version is '%d'.",
			service, etagVersion(etag), current.UnixMicro()),
	}
}

func revisionExists(revision string) *APIError {
	return &APIError{
		Code: http.StatusConflict, Status: "ALREADY_EXISTS",
		Message: fmt.Sprintf("Revision named '%s' with different configuration already exists.", revision),
	}
}

func serviceExists(n serviceName) *APIError {
	return &APIError{
		Code: http.StatusConflict, Status: "ALREADY_EXISTS",
		Message: fmt.Sprintf("Resource '%s' already exists.", n.Service),
	}
}
