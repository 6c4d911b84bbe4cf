package simulator

import (
	"errors"
	"net/http"
)

// ticket accompanies one API call from its arrival to its line in the log.
type ticket struct {
	world *World
	call  *Call
	fault *Fault
	event Event
}

// carryOut is the life of a call: it is received, described, and refused or done.
// A duplicated call is done once more, at once, as a retransmission is; the first
// answer gets lost on its way. describe notes what a write asks for.
func carryOut[T any](a API, operation, resource string, do func(*ticket) (T, error), describe ...func(*Call)) (T, error) {
	t := a.begin(operation, resource)
	for _, note := range describe {
		note(t.call)
	}
	if t.fault != nil && t.fault.Kind == FaultDuplicate {
		_, err := do(t)
		_ = t.end(err)
		t.call.Lost = true
		t = a.receive(operation, resource)
		t.call.Fault, t.call.Again = string(FaultDuplicate), true
		for _, note := range describe {
			note(t.call)
		}
	}
	if err := a.refusal(t, resource); err != nil {
		var none T
		return none, t.end(err)
	}
	answer, err := do(t)
	return answer, t.end(err)
}

// begin receives a call: it notes what the service is like and which fault
// hits it.
func (a API) begin(operation, resource string) *ticket {
	t := a.receive(operation, resource)
	if t.fault = a.world.strike(operation, resource); t.fault != nil {
		t.call.Fault = string(t.fault.Kind)
	}
	return t
}

// receive is begin where no fault can hit.
func (a API) receive(operation, resource string) *ticket {
	t := &ticket{
		world: a.world,
		call: &Call{
			Operation: operation, Resource: resource,
			Caller: a.caller.Identity, UserAgent: a.caller.UserAgent,
		},
	}
	t.event = Event{Kind: EventCall, Call: t.call}
	name := resource
	if service, _, ok := splitRevision(resource); ok {
		name = service
	}
	if s, err := a.world.service(name); err == nil {
		t.event.Service = s.Name
		t.call.Before = s.state()
	}
	return t
}

// refusal is why a call is not carried out: a fault, or who calls.
func (a API) refusal(t *ticket, resource string) error {
	if err := t.refusal(); err != nil {
		return err
	}
	if a.barred(resource) {
		return (&Fault{Code: http.StatusForbidden}).refusal(t.call)
	}
	return nil
}

// refusal is the error of a fault that refuses the call.
func (t *ticket) refusal() error {
	if t.fault == nil || t.fault.Kind != FaultError {
		return nil
	}
	return t.fault.refusal(t.call)
}

// parked tells how a fault delays the call's effect.
func (t *ticket) parked() bool { return t.fault != nil && t.fault.Kind == FaultPark }

// versionsBack tells how stale the answer shall be.
func (t *ticket) versionsBack() int {
	if t.fault == nil || t.fault.Kind != FaultStale {
		return 0
	}
	return max(1, t.fault.Versions)
}

// end writes the call's line and gives the error that the caller sees.
func (t *ticket) end(err error) error {
	var refused *APIError
	switch {
	case errors.As(err, &refused):
		t.call.Code, t.call.Status, t.call.Message = refused.Code, refused.Status, refused.Message
	case err != nil:
		t.call.Lost = true
	default:
		t.call.Code = http.StatusOK
	}
	if t.fault != nil && t.fault.Kind == FaultDrop {
		t.call.Lost = true
		err = ErrAnswerLost
	}
	t.world.tell(t.event)
	return err
}
