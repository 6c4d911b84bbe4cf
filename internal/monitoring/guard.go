package monitoring

import (
	"fmt"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
)

// codePanic is counted, in place of a gRPC code, for what ended in a panic.
const codePanic = "Panic"

// guarded runs f, and makes a panic trouble. What runs beside a reconciler is not
// recovered by controller-runtime: one panic would end the manager for all.
func guarded(doing string, caught func(), f func()) (t trouble) {
	defer func() {
		what := recover()
		if what == nil {
			return
		}
		caught()
		t = trouble{cause: analysis.CauseUnavailable, detail: google.Clean(fmt.Sprintf("a mistake in Sluice: panic while %s: %v", doing, what))}
	}()
	f()
	return trouble{}
}
