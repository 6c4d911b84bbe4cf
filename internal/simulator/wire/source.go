package wire

import (
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// metrics is a guarded world as a source of time series.
type metrics struct{ guard *Guard }

// Metrics lets [NewMonitoring] answer with the world's data.
func Metrics(g *Guard) Source { return metrics{g} }

// Query implements Source.
func (m metrics) Query(q series.Query) (result series.Result, err error) {
	m.guard.Do(func(w *simulator.World) { result, err = w.QueryTimeSeries(q) })
	return result, err
}

// Descriptors implements Source.
func (m metrics) Descriptors(filter string) (found []series.Descriptor, err error) {
	m.guard.Do(func(w *simulator.World) { found, err = w.MetricDescriptors(filter) })
	return found, err
}
