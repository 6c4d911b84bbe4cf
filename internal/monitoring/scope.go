package monitoring

import (
	"context"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// Scope says what whoever asks may ask about. It is looked at again for each query
// that is put together for many: what they may can have become less. The zero Scope
// is without limits.
type Scope struct {
	// Admits tells whether a source may be asked about, now.
	Admits func(analysis.Source) bool
	// Everything tells whether all sources of its kind in its project and location
	// may, so that a query may leave out their names.
	Everything func(analysis.Source) bool
}

type scopeKey struct{}

// Within asks what follows as somebody of a scope.
func Within(ctx context.Context, scope Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope)
}

// scopeOf is the scope of whoever asks.
func scopeOf(ctx context.Context) Scope {
	scope, _ := ctx.Value(scopeKey{}).(Scope)
	return scope
}

func (s Scope) admits(of analysis.Source) bool { return s.Admits == nil || s.Admits(of) }

func (s Scope) everything(of analysis.Source) bool { return s.Everything == nil || s.Everything(of) }
