package simulator

import (
	"encoding/json"
	"fmt"
)

// The codes that a failed operation carries.
const (
	codeFailedPrecondition = 9
	codeInternal           = 13
)

// Operation is a long-running operation as the API prints it.
type Operation struct {
	Name     string          `json:"name"`
	Metadata *OperationBody  `json:"metadata,omitempty"`
	Done     bool            `json:"done,omitempty"`
	Error    *OperationError `json:"error,omitempty"`
	Response *OperationBody  `json:"response,omitempty"`
}

// OperationError is why an operation failed. Code is that of google.rpc.Code.
type OperationError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// OperationBody is a service inside an operation.
type OperationBody struct {
	Type string `json:"@type"`
	Service
}

// operation is a write under way. Its metadata is the service as it is now,
// until it is done.
type operation struct {
	name    string
	service *service
	done    bool
	err     *OperationError
	final   Service
}

func (w *World) newOperation(s *service) *operation {
	op := &operation{name: s.name.parent() + "/operations/" + w.naming.uuid(), service: s}
	w.operations[op.name] = op
	s.open = append(s.open, op)
	return op
}

func (o *operation) view() Operation {
	state := o.final
	if !o.done {
		state = o.service.view()
	}
	v := Operation{Name: o.name, Done: o.done, Error: o.err, Metadata: body(state)}
	if o.done && o.err == nil {
		v.Response = body(state)
	}
	return v
}

func body(s Service) *OperationBody { return &OperationBody{Type: serviceType, Service: s} }

// finish ends every open operation of the service.
func (s *service) finish(err *OperationError) {
	for _, o := range s.open {
		o.done, o.err, o.final = true, err, s.view()
	}
	s.open = nil
}

// jsonCopy copies a value through its JSON.
func jsonCopy(from, to any) error {
	raw, err := json.Marshal(from)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	return nil
}
