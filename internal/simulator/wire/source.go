package wire

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// metrics is a guarded world as a source of time series.
type metrics struct {
	guard  *Guard
	caller string
}

// Metrics lets [NewMonitoring] answer with the world's data.
func Metrics(g *Guard) Source { return metrics{guard: g} }

// As implements personal.
func (m metrics) As(ctx context.Context) (Source, error) {
	told, _ := metadata.FromIncomingContext(ctx)
	caller, err := identity(m.guard, strings.Join(told.Get("authorization"), ""))
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Message)
	}
	return metrics{m.guard, caller}, nil
}

// Query implements Source.
func (m metrics) Query(q series.Query) (result series.Result, err error) {
	m.guard.Do(func(w *simulator.World) { result, err = w.As(simulator.Caller{Identity: m.caller}).QueryTimeSeries(q) })
	return result, err
}

// Descriptors implements Source.
func (m metrics) Descriptors(filter string) (found []series.Descriptor, err error) {
	m.guard.Do(func(w *simulator.World) { found, err = w.MetricDescriptors(filter) })
	return found, err
}
