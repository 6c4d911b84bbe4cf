package kcc

import (
	"cmp"
	"context"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// DefaultPatience is how long Config Connector may take to act on spec before the
	// same value may be set on the service. It acts within seconds where nothing
	// holds it up.
	DefaultPatience = 30 * time.Second
	// defaultTimeout limits one call of the Kubernetes API.
	defaultTimeout = 15 * time.Second
)

// Live is Cloud Run itself. Every call is a live read or one write.
type Live interface {
	Service(ctx context.Context, ref rollout.ServiceRef) (rollout.Service, error)
	Revisions(ctx context.Context, ref rollout.ServiceRef, names []string) (map[string]rollout.Revision, error)
	SetTrafficOn(ctx context.Context, ref rollout.ServiceRef, w rollout.Write, etag string) error
}

// Options say how to reach what Config Connector keeps.
type Options struct {
	// API reaches RunServices and Config Connector's settings.
	API dynamic.Interface
	// Live reaches Cloud Run.
	Live Live
	// Clock is real time, since the API server's times are compared with it.
	Clock clock.PassiveClock
	// Direct lets traffic that stands in spec be set on the service too, where Config
	// Connector is late with it. It needs run.services.update.
	Direct bool
	// Patience is how late that is; 0 means DefaultPatience.
	Patience time.Duration
	// Timeout limits each call of the Kubernetes API; 0 means 15 s.
	Timeout time.Duration
}

// Client opens RunServices. It is safe for concurrent use.
type Client struct {
	api      dynamic.Interface
	live     Live
	clock    clock.PassiveClock
	direct   bool
	patience time.Duration
	timeout  time.Duration
}

// New makes a client, and no call.
func New(options Options) *Client {
	return &Client{
		api: options.API, live: options.Live, clock: options.Clock, direct: options.Direct,
		patience: cmp.Or(options.Patience, DefaultPatience), timeout: cmp.Or(options.Timeout, defaultTimeout),
	}
}

// Target opens one RunService. What it writes rests on what it read, so each pass
// opens it anew. It is not safe for concurrent use.
func (c *Client) Target(namespace, name string) *Target {
	return &Target{client: c, namespace: namespace, name: name}
}
