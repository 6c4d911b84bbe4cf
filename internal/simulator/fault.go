package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// FaultKind is a way in which things go wrong.
type FaultKind string

// The kinds of faults.
const (
	// FaultError answers a call with an error; nothing happens.
	FaultError FaultKind = "error"
	// FaultDrop carries a call out and loses the answer.
	FaultDrop FaultKind = "drop"
	// FaultDuplicate lets a call reach the API twice, as a retransmission does: it is
	// carried out twice, one right after the other, and the answer is the second's.
	FaultDuplicate FaultKind = "duplicate"
	// FaultPark loses the answer of a services.patch and carries it out after Delay.
	FaultPark FaultKind = "park"
	// FaultStale answers reads with an older state of the service.
	FaultStale FaultKind = "stale"
	// FaultStuck keeps reconciliations from ending while it lasts.
	FaultStuck FaultKind = "stuck"
	// FaultSkew makes the clocks of callers differ from the world's by Delay, which
	// may be negative, while it lasts.
	FaultSkew FaultKind = "skew"
	// FaultGap loses the data points of a metric that end while it lasts.
	FaultGap FaultKind = "gap"
	// FaultLate makes data points that end while it lasts appear Delay later.
	FaultLate FaultKind = "late"
	// FaultPartial makes answers of Monitoring say that they may be incomplete,
	// until cleared. Which points are missing is for gap to say.
	FaultPartial FaultKind = "partial"
)

// faultKinds are all of them.
var faultKinds = []FaultKind{
	FaultError, FaultDrop, FaultDuplicate, FaultPark, FaultStale, FaultStuck, FaultSkew,
	FaultGap, FaultLate, FaultPartial,
}

// FaultKinds lists the ways in which things go wrong.
func FaultKinds() []FaultKind { return slices.Clone(faultKinds) }

// Fault is something that goes wrong on request.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Operation is the call that it hits, like services.patch; a * at the end
	// matches the rest. Default: every call of Cloud Run. Of Monitoring's calls
	// only timeSeries.list can be hit, by error and partial, and must be named.
	Operation string `json:"operation,omitempty"`
	// Resource is the end of the resource's name. Default: any.
	Resource string `json:"resource,omitempty"`
	// Times is how many calls it hits. Default 1; -1 means until cleared.
	Times int `json:"times,omitempty"`
	// Code, Message and RetryAfter are the answer of an error.
	Code       int      `json:"code,omitempty"`
	Message    string   `json:"message,omitempty"`
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// Versions is how many changes a stale answer is behind. Default 1.
	Versions int `json:"versions,omitempty"`
	// Delay is how much later a parked write or a late point comes, and how far
	// skewed clocks are ahead; negative where they are behind.
	Delay Duration `json:"delay,omitempty"`
	// For is how long a gap, lateness, a skew or a stuck reconciliation lasts.
	// Default: until cleared.
	For Duration `json:"for,omitempty"`
	// Metric is the beginning of the metric types that a gap or lateness hits.
	Metric string `json:"metric,omitempty"`

	since time.Time
}

func (f Fault) check() error {
	switch f.Kind {
	case FaultError:
		if f.Code < 400 || f.Code > 599 {
			return fmt.Errorf("fault error: code %d is no HTTP error", f.Code)
		}
	case FaultPark, FaultLate:
		if f.Delay <= 0 {
			return fmt.Errorf("fault %s: delay is required", f.Kind)
		}
	case FaultSkew:
		if f.Delay == 0 {
			return errors.New("fault skew: delay is required; it is negative where clocks are behind")
		}
	case FaultDrop, FaultDuplicate, FaultStale, FaultStuck, FaultGap, FaultPartial:
	default:
		return fmt.Errorf("fault kind %q is not one of %v", f.Kind, faultKinds)
	}
	switch {
	case f.Times < -1:
		return errors.New("fault: times is below -1")
	case strings.HasPrefix(f.Operation, "timeSeries") && !f.monitoring():
		return fmt.Errorf("fault %s: calls of Monitoring can only fail with error or partial", f.Kind)
	}
	return nil
}

// monitoring tells the faults that hit queries of Monitoring.
func (f Fault) monitoring() bool {
	return f.Kind == FaultPartial || (f.Kind == FaultError && strings.HasPrefix(f.Operation, "timeSeries"))
}

// Inject lets something go wrong from now on.
func (w *World) Inject(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	f.Times = cmp.Or(f.Times, 1)
	f.since = w.now
	if f.monitoring() {
		w.reporter.inject(f)
	} else {
		w.faults = append(w.faults, &f)
	}
	if f.Kind == FaultStuck && f.For > 0 {
		w.agenda.add(w.now.Add(time.Duration(f.For)), w.resume)
	}
	w.tell(Event{Kind: EventFault, Text: string(f.Kind) + " " + cmp.Or(f.Operation, f.Metric, "*")})
	return nil
}

// ClearFaults takes every fault back. Stuck reconciliations go on.
func (w *World) ClearFaults() {
	w.faults = nil
	w.reporter.store.Heal()
	w.tell(Event{Kind: EventFault, Text: "cleared"})
	w.resume()
}

// resume goes on with reconciliations that were stuck.
func (w *World) resume() {
	for _, s := range w.services {
		w.reconcile(s)
		s.remember()
	}
}

// byCall tells the faults that hit single calls from those that last.
func (f *Fault) byCall() bool {
	switch f.Kind {
	case FaultError, FaultDrop, FaultDuplicate, FaultPark, FaultStale:
		return true
	case FaultStuck, FaultSkew, FaultGap, FaultLate, FaultPartial:
	}
	return false
}

// strike uses up the first fault that hits a call.
func (w *World) strike(operation, resource string) *Fault {
	for _, f := range w.faults {
		if !f.byCall() || f.Times == 0 || !f.matches(operation) || !strings.HasSuffix(resource, f.Resource) {
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		return f
	}
	return nil
}

func (f *Fault) matches(operation string) bool {
	if f.Kind == FaultPark {
		return operation == "services.patch"
	}
	if prefix, ok := strings.CutSuffix(f.Operation, "*"); ok || f.Operation == "" {
		return strings.HasPrefix(operation, prefix)
	}
	return f.Operation == operation
}

// lasting returns the fault of a kind that hits a metric or service at t.
func (w *World) lasting(kind FaultKind, subject string, t time.Time) *Fault {
	for _, f := range w.faults {
		if f.Kind == kind && !f.over(t) && t.After(f.since) && f.hits(subject) {
			return f
		}
	}
	return nil
}

// over tells whether a fault that lasts has ended by t.
func (f *Fault) over(t time.Time) bool {
	return f.For > 0 && !t.Before(f.since.Add(time.Duration(f.For)))
}

// Skew is how far the clocks of callers are ahead of the world's now: what the
// faults of that kind add up to.
func (w *World) Skew() time.Duration {
	var sum time.Duration
	for _, f := range w.faults {
		if f.Kind == FaultSkew && !f.over(w.now) {
			sum += time.Duration(f.Delay)
		}
	}
	return sum
}

// CallerNow is the time that a caller's clock shows.
func (w *World) CallerNow() time.Time { return w.now.Add(w.Skew()) }

func (f *Fault) hits(subject string) bool {
	if f.Kind == FaultStuck {
		return strings.HasSuffix(subject, f.Resource)
	}
	return strings.HasPrefix(subject, f.Metric)
}

// refusal is the error that the fault answers with.
func (f *Fault) refusal(c *Call) *APIError {
	e := &APIError{
		Code: f.Code, Status: statusName(f.Code), Message: f.Message, RetryAfter: time.Duration(f.RetryAfter),
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
