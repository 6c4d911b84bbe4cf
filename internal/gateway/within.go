package gateway

import (
	"context"
	"errors"
)

// errOutside: nobody lets this rollout look into that project, so nothing was asked.
var errOutside = errors.New("not bound")

type withinKey struct{}

// Within keeps a look within projects: nothing is sent to others, and nothing is told
// of what somebody else read there. Outside says why a project must not be looked into
// and what would help, or "".
func Within(ctx context.Context, outside func(project string) string) context.Context {
	return context.WithValue(ctx, withinKey{}, outside)
}

// outside tells of a project that must not be looked into; nil for one that may be.
func outside(ctx context.Context, op, project string) *CallError {
	says, limited := ctx.Value(withinKey{}).(func(project string) string)
	if !limited {
		return nil
	}
	if why := says(project); why != "" {
		return &CallError{Op: op, Kind: errOutside, Detail: why}
	}
	return nil
}
