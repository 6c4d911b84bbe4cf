package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
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
	// FaultFail makes reconciliations that end while it lasts fail: what was asked
	// for does not come to serve.
	FaultFail FaultKind = "fail"
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
	// FaultCorrupt makes Monitoring answer with another value for the points of a
	// metric that end while it lasts.
	FaultCorrupt FaultKind = "corrupt"
	// FaultUnit makes answers of Monitoring claim another unit, until cleared.
	FaultUnit FaultKind = "unit"
	// FaultStrange adds fields to answers of Monitoring that no client knows, until
	// cleared.
	FaultStrange FaultKind = "strange"
)

// faultKinds are all of them.
var faultKinds = []FaultKind{
	FaultError, FaultDrop, FaultDuplicate, FaultPark, FaultStale, FaultStuck, FaultFail, FaultSkew,
	FaultGap, FaultLate, FaultPartial, FaultCorrupt, FaultUnit, FaultStrange,
}

// FaultKinds lists the ways in which things go wrong.
func FaultKinds() []FaultKind { return slices.Clone(faultKinds) }

// Fault is something that goes wrong on request.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Operation is the call that it hits, like services.patch; a * at the end
	// matches the rest. Default: every call of Cloud Run. Of Monitoring's calls
	// only timeSeries.list can be hit, by error and partial, and must be named; so
	// must those of Compute, of Serverless VPC Access and of IAM.
	Operation string `json:"operation,omitempty"`
	// Resource is the end of the resource's name. Default: any.
	Resource string `json:"resource,omitempty"`
	// After is how many such calls pass before it hits the first.
	After int `json:"after,omitempty"`
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
	// For is how long a gap, lateness, a corruption, a skew or a stuck
	// reconciliation lasts. Default: until cleared.
	For Duration `json:"for,omitempty"`
	// Metric is the beginning of the metric types that a gap, lateness or a
	// corruption hits.
	Metric string `json:"metric,omitempty"`
	// Value is what a corruption answers: none, bool, int64, double, distribution,
	// nan, infinite or negative. The declared type stays.
	Value string `json:"value,omitempty"`
	// Unit is what answers claim.
	Unit string `json:"unit,omitempty"`
	// Page is the only page of a partial answer that says so, counted from 1.
	// Default: every page. PageSize cuts answers into pages of so many points.
	Page     int `json:"page,omitempty"`
	PageSize int `json:"pageSize,omitempty"`

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
	case FaultCorrupt:
		if _, known := corruptions[f.Value]; !known {
			return fmt.Errorf("fault corrupt: value %q is not one of %s", f.Value, strings.Join(slices.Sorted(maps.Keys(corruptions)), ", "))
		}
	case FaultUnit:
		if f.Unit == "" {
			return errors.New("fault unit: unit is required")
		}
	case FaultDrop, FaultDuplicate, FaultStale, FaultStuck, FaultFail, FaultGap, FaultPartial, FaultStrange:
	default:
		return fmt.Errorf("fault kind %q is not one of %v", f.Kind, faultKinds)
	}
	return f.checkNumbers()
}

func (f Fault) checkNumbers() error {
	switch {
	case f.Times < -1:
		return errors.New("fault: times is below -1")
	case f.After < 0 || f.Page < 0 || f.PageSize < 0:
		return errors.New("fault: after, page and pageSize are not negative")
	case strings.HasPrefix(f.Operation, "timeSeries") && !f.monitoring():
		return fmt.Errorf("fault %s: calls of Monitoring can only fail with error or partial", f.Kind)
	}
	return nil
}

// monitoring tells the faults that hit queries of Monitoring.
func (f Fault) monitoring() bool {
	switch f.Kind {
	case FaultPartial, FaultCorrupt, FaultUnit, FaultStrange:
		return true
	case FaultError:
		return strings.HasPrefix(f.Operation, "timeSeries")
	case FaultDrop, FaultDuplicate, FaultPark, FaultStale, FaultStuck, FaultFail, FaultSkew, FaultGap, FaultLate:
	}
	return false
}

// Inject lets something go wrong from now on.
func (w *World) Inject(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	f.Times = cmp.Or(f.Times, 1)
	f.since = w.now
	if !f.monitoring() {
		w.faults = append(w.faults, &f)
	} else if err := w.reporter.inject(f); err != nil {
		return fmt.Errorf("fault %s: %w", f.Kind, err)
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
	case FaultStuck, FaultFail, FaultSkew, FaultGap, FaultLate, FaultPartial, FaultCorrupt, FaultUnit, FaultStrange:
	}
	return false
}

// strike uses up the first fault that hits a call.
func (w *World) strike(operation, resource string) *Fault {
	for _, f := range w.faults {
		if !f.byCall() || f.Times == 0 || !f.matches(operation) || !strings.HasSuffix(resource, f.Resource) {
			continue
		}
		if f.After > 0 {
			f.After--
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
	if f.Operation == "" {
		return !ofCompute(operation) && !ofVPCAccess(operation) && !ofIAM(operation)
	}
	if prefix, ok := strings.CutSuffix(f.Operation, "*"); ok {
		return strings.HasPrefix(operation, prefix)
	}
	return f.Operation == operation
}

// ofCompute tells the calls of the Compute API from those of Cloud Run.
func ofCompute(operation string) bool {
	return strings.HasPrefix(operation, "routers.") || strings.HasPrefix(operation, "subnetworks.")
}

// ofVPCAccess tells the calls of Serverless VPC Access from those of Cloud Run.
func ofVPCAccess(operation string) bool { return strings.HasPrefix(operation, "connectors.") }

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
	if f.Kind == FaultStuck || f.Kind == FaultFail {
		return strings.HasSuffix(subject, f.Resource)
	}
	return strings.HasPrefix(subject, f.Metric)
}
