package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// refusal is the error that the fault answers with.
func (f *Fault) refusal(c *Call) *APIError {
	e := &APIError{
		Code: f.Code, Status: statusName(f.Code), Message: f.Message, RetryAfter: time.Duration(f.RetryAfter),
	}
	if e.Message == "" && ofCompute(c.Operation) {
		e.Message = computeText(f.Code, c)
	}
	if e.Message == "" && ofVPCAccess(c.Operation) {
		e.Message = vpcAccessText(f.Code, c)
	}
	if e.Message == "" {
		e.Message = usualText(f.Code, c)
	}
	if f.Code == http.StatusTooManyRequests {
		e.Details = []map[string]any{{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com",
		}}
	}
	return e
}

// usualText is what the real service says with a code, as far as it is known.
func usualText(code int, c *Call) string {
	write := strings.HasSuffix(c.Operation, ".patch") || strings.HasSuffix(c.Operation, ".create")
	kind, verb := "Read", "get"
	if write {
		kind, verb = "Write", "update"
	}
	switch code {
	case http.StatusTooManyRequests:
		return fmt.Sprintf("Quota exceeded for quota metric '%s requests' and limit '%s requests per minute per region' "+
			"of service 'run.googleapis.com'", kind, kind)
	case http.StatusForbidden:
		return fmt.Sprintf("Permission 'run.services.%s' denied on resource '%s' (or resource may not exist).", verb, c.Resource)
	case http.StatusConflict:
		return fmt.Sprintf("Conflict for resource '%s': version '1' was specified but current version is '2'.", shortName(c.Resource))
	case http.StatusServiceUnavailable:
		return "The service is currently unavailable."
	}
	return "Internal error encountered."
}

// computeText is what the Compute API says with a code, "" where it says the same
// as others. Compute names the permission that is missing, which for a status is
// the router's own.
func computeText(code int, c *Call) string {
	switch code {
	case http.StatusTooManyRequests:
		return "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per region' " +
			"of service 'compute.googleapis.com' for consumer 'project_number:" + projectNumber(c.Resource) + "'."
	case http.StatusForbidden:
		permission := c.Operation
		switch permission {
		case "routers.getRouterStatus":
			permission = "routers.get"
		case "routers.aggregatedList":
			permission = "routers.list"
		}
		return fmt.Sprintf("Required 'compute.%s' permission for '%s'", permission, c.Resource)
	case http.StatusNotFound:
		return fmt.Sprintf("The resource '%s' was not found", c.Resource)
	}
	return ""
}
