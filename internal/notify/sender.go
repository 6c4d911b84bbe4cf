package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
)

const (
	// waiting is how much news a sink may be behind.
	waiting = 256
	// tries is how often one piece is tried, firstWait the wait after the first
	// failure; it doubles with each.
	tries     = 6
	firstWait = time.Second
	// timeout is how long a sink may take to answer, and answer how much of what it
	// says is read, in bytes.
	timeout = 10 * time.Second
	answer  = 4 << 10
	// remembered is how many IDs are known of what was told, so that the same is told
	// once.
	remembered = 1024
)

// What becomes of news for a sink.
const (
	sent    = "sent"
	failed  = "failed"  // given up
	dropped = "dropped" // its queue was full
	// suppressed is left out, because it came and went.
	suppressed = "suppressed"
)

// Sender sends news to sinks. It is safe for concurrent use.
type Sender struct {
	lanes   []lane
	clock   clock.Clock
	client  *http.Client
	report  func(sink string, err error)
	counter *prometheus.CounterVec

	left chan struct{} // has one element after news were left out

	mu    sync.Mutex
	known map[string]bool
	order []string // of the known, the oldest first
	flaps flapping
}

// lane is a sink and the news that wait for it.
type lane struct {
	sink  Sink
	queue chan News
}

// New makes a sender, which sends once it runs. It reports each piece that it gives
// up, without any address.
func New(sinks []Sink, now clock.Clock, transport http.RoundTripper, report func(sink string, err error)) *Sender {
	s := &Sender{
		clock: now, report: report, known: map[string]bool{}, flaps: flapping{}, left: make(chan struct{}, 1),
		client: &http.Client{
			Transport: transport, Timeout: timeout,
			// Where a redirect leads to nobody has written down.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		counter: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_notifications_total",
			Help: "News for a sink, by what became of them: sent, failed after several tries, dropped because too many waited, or suppressed because they came and went.",
		}, []string{"sink", "result"}),
	}
	for _, sink := range sinks {
		s.lanes = append(s.lanes, lane{sink, make(chan News, waiting)})
		for _, result := range []string{sent, failed, dropped, suppressed} {
			s.counter.WithLabelValues(sink.Name, result)
		}
	}
	return s
}

// Counters are what the sender counts.
func (s *Sender) Counters() prometheus.Collector { return s.counter }

// Tell queues news for every sink that wants them, and never waits. News of a state that
// comes and goes it keeps until that has lasted.
func (s *Sender) Tell(n News) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.first(n.ID()) {
		return
	}
	n, now := s.flaps.hear(n, s.clock.Now())
	if now {
		s.queue(n)
		return
	}
	for _, l := range s.lanes {
		if l.sink.wants(n) {
			s.counter.WithLabelValues(l.sink.Name, suppressed).Inc()
		}
	}
	select {
	case s.left <- struct{}{}:
	default: // it will be looked at anyway
	}
}

// queue queues news for every sink that wants them, in the order in which they happened
// while it is called with the lock.
func (s *Sender) queue(n News) {
	for _, l := range s.lanes {
		if !l.sink.wants(n) {
			continue
		}
		select {
		case l.queue <- n:
		default:
			s.counter.WithLabelValues(l.sink.Name, dropped).Inc()
		}
	}
}

// first tells whether an ID is new, and remembers it. It is called with the lock.
func (s *Sender) first(id string) bool {
	if s.known[id] {
		return false
	}
	s.known[id] = true
	if s.order = append(s.order, id); len(s.order) > remembered {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
	return true
}

// Start sends until the context ends.
func (s *Sender) Start(ctx context.Context) error {
	var all sync.WaitGroup
	for _, l := range s.lanes {
		all.Go(func() { s.serve(ctx, l) })
	}
	all.Go(func() { s.settle(ctx) })
	all.Wait()
	return nil
}

// settle tells what was left out and lasts.
func (s *Sender) settle(ctx context.Context) {
	for {
		var until <-chan time.Time
		if due, ok := s.lasting(); ok {
			until = s.clock.After(due.Sub(s.clock.Now()))
		}
		select {
		case <-ctx.Done():
			return
		case <-s.left:
		case <-until:
		}
	}
}

// lasting queues what was left out and has lasted, and tells when the next will have.
func (s *Sender) lasting() (due time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.flaps.overdue(s.clock.Now()) {
		s.queue(n)
	}
	return s.flaps.next()
}

func (s *Sender) serve(ctx context.Context, l lane) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-l.queue:
			result := sent
			if err := s.deliver(ctx, l.sink, n); err != nil {
				result = failed
				s.report(l.sink.Name, err)
			}
			s.counter.WithLabelValues(l.sink.Name, result).Inc()
		}
	}
}

// deliver tries until a sink has accepted news, refuses them, or was tried often
// enough.
func (s *Sender) deliver(ctx context.Context, sink Sink, n News) error {
	b, err := sink.bodyFor(n)
	if err != nil {
		return fmt.Errorf("writing the body: %w", err)
	}
	wait := firstWait
	for try := 1; ; try++ {
		again, err := s.send(ctx, sink, b)
		if err == nil || !again || try == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-s.clock.After(wait):
		}
		wait *= 2
	}
}

// send sends a body once, and tells whether a failure may pass.
func (s *Sender) send(ctx context.Context, sink Sink, b body) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sink.address, bytes.NewReader(b.bytes))
	if err != nil {
		return false, errors.New("the address cannot be used")
	}
	req.Header.Set("Content-Type", b.kind)
	if len(sink.key) > 0 {
		timestamp, signature := sign(sink.key, s.clock.Now(), b.bytes)
		req.Header.Set(Timestamp, timestamp)
		req.Header.Set(Signature, signature)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return true, unwrapped(err)
	}
	defer func() { _ = resp.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, answer))
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	again = resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500
	return again, fmt.Errorf("answered %d, with %d bytes", resp.StatusCode, len(said))
}

// unwrapped leaves out of an error of the client the address that it names.
func unwrapped(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}
