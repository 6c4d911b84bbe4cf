package gateway

import (
	"context"
	"errors"
)

// errOutside: nobody lets this rollout look into that project, so nothing was asked.
var errOutside = errors.New("not bound by a CloudRunAccess")

type withinKey struct{}

// Within keeps a look within projects: nothing is sent to others, and nothing is told
// of what somebody else read there.
func Within(ctx context.Context, admits func(project string) bool) context.Context {
	return context.WithValue(ctx, withinKey{}, admits)
}

// outside tells of a project that must not be looked into; nil for one that may be.
func outside(ctx context.Context, op, project string) *CallError {
	admits, limited := ctx.Value(withinKey{}).(func(string) bool)
	if !limited || admits(project) {
		return nil
	}
	return &CallError{Op: op, Kind: errOutside}
}
