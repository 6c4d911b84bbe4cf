package dashboard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Source is where rollouts are read: the manager's cache.
type Source interface {
	// Rollouts lists all rollouts of all namespaces.
	Rollouts(ctx context.Context) ([]v1alpha1.CloudRunRollout, error)
}

// Options are what the page rests on.
type Options struct {
	// Address is what to listen at, such as 127.0.0.1:8082.
	Address string
	// TLS serves with TLS; nil in the open, which is for this machine's own address.
	TLS *tls.Config
	// Access says who may see what; nil lets whoever reaches the page see all.
	Access Access
	// Source is where rollouts are read.
	Source Source
	// Clock is the time that the rollouts live by.
	Clock clock.PassiveClock
	// Process is the time of this process, for streams and the leader's lease.
	Process clock.WithTicker
	// Pulse says who leads; nil where nobody has to.
	Pulse func(context.Context) Pulse
	// Version is the manager's.
	Version string
	// Console is the address of Google Cloud's console.
	Console string
}

// Pulse is what is known of the manager that acts.
type Pulse struct {
	// Leader names the process that acts; "" where none does.
	Leader string
	// Renewed is when it last said so, in the process's time.
	Renewed time.Time
	// Patience is after how long without word of it another one takes over.
	Patience time.Duration
	// Err is why it cannot be known; the rest is what was last known.
	Err error
}

// Server serves the page. It is a runnable of the manager's, on every replica.
type Server struct {
	Options
	hub    *hub
	trends *trends
	bound  chan string // where it listens, once it does
}

// New makes a server. It listens when it is started.
func New(o Options) *Server {
	return &Server{Options: o, hub: newHub(o.Process), trends: newTrends(), bound: make(chan string, 1)}
}

// NeedLeaderElection tells that replicas which only stand by serve it, too.
func (*Server) NeedLeaderElection() bool { return false }

// Seen takes notice of a rollout as it is now.
func (s *Server) Seen(ro *v1alpha1.CloudRunRollout) {
	s.trends.observe(ro)
	s.hub.changed()
}

// Gone forgets a rollout.
func (s *Server) Gone(ro *v1alpha1.CloudRunRollout) {
	s.trends.forget(keyOf(ro))
	s.hub.changed()
}

// Bound is where it listens, once it does; "" if the context ends before. It tells
// once.
func (s *Server) Bound(ctx context.Context) string {
	select {
	case address := <-s.bound:
		return address
	case <-ctx.Done():
		return ""
	}
}

// The times that a connection may take. Streams set their own.
const (
	headerTimeout = 5 * time.Second
	answerTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// farewell is how long open requests may take when the manager ends.
	farewell = 2 * time.Second
)

// Start serves until the context ends, and ends the streams then.
func (s *Server) Start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Address)
	if err != nil {
		return fmt.Errorf("listening for the page: %w", err)
	}
	s.bound <- listener.Addr().String()
	if s.TLS != nil {
		listener = tls.NewListener(listener, s.TLS)
	}
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout,
		WriteTimeout: answerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: 16 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving the page: %w", err)
	case <-ctx.Done():
	}
	s.hub.close()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := server.Shutdown(last); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("ending the page: %w", err)
	}
	return nil
}
