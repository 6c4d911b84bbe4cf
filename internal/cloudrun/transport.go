package cloudrun

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// maxAnswer is the largest body that is read, in bytes. A service with 1000
// tags stays well below it.
const maxAnswer = 4 << 20

// meter limits what comes back, counts it, and notes that a request was handed on.
type meter struct {
	next  http.RoundTripper
	calls *prometheus.CounterVec
}

func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	if sent, ok := req.Context().Value(sentKey{}).(*sent); ok {
		sent.handed.Store(true)
	}
	answer, err := m.next.RoundTrip(req)
	m.calls.WithLabelValues(methodOf(req), codeOf(answer)).Inc()
	if err != nil {
		return nil, err
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	return answer, nil
}

// sent tells whether a request may have left this process.
type sent struct{ handed atomic.Bool }

type sentKey struct{}

// metered asks for a note in the context of one call.
func metered(ctx context.Context) (context.Context, *sent) {
	note := &sent{}
	return context.WithValue(ctx, sentKey{}, note), note
}

// maybe tells whether a call that failed may have had an effect. It had none
// when it never reached the transport, as without a token, or when no connection
// could be made. In every other case nobody can know.
func (s *sent) maybe(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	unconnected := ok && op.Op == "dial"
	return s.handed.Load() && !unconnected
}
