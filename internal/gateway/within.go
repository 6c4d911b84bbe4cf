package gateway

import (
	"context"
	"errors"
	"fmt"
)

// errOutside: nobody lets this rollout look into that project, so nothing was asked.
var errOutside = errors.New("not bound")

type withinKey struct{}

// bounds are the projects that somebody may look into.
type bounds struct {
	admits func(project string) bool
	by     string
}

// Within keeps a look within projects: nothing is sent to others, and nothing is told
// of what somebody else read there. By names the CloudRunAccess that says which.
func Within(ctx context.Context, admits func(project string) bool, by string) context.Context {
	return context.WithValue(ctx, withinKey{}, bounds{admits, by})
}

// outside tells of a project that must not be looked into; nil for one that may be.
func outside(ctx context.Context, op, project string) *CallError {
	within, limited := ctx.Value(withinKey{}).(bounds)
	if !limited || within.admits(project) {
		return nil
	}
	return &CallError{Op: op, Kind: errOutside, Detail: fmt.Sprintf("%s is not among spec.networkProjects of CloudRunAccess %s", project, within.by)}
}
