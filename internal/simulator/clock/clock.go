// Package clock reads the time of a simulated world over its control endpoint,
// so that a process can live in that time.
package clock

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// fresh is how old a reading may be before the next is taken. At 120 times
	// real time the estimate is then off by at most a few seconds if the speed
	// changes in between.
	fresh = 20 * time.Millisecond
	// patience is how long one reading may take. A clock never blocks for longer.
	patience = 500 * time.Millisecond
)

// Clock is a world's clock as seen from another process. It reads the time when
// asked, keeps the reading for a moment, and goes on from it at the world's speed
// where the world does not answer. It never goes back, unless the world skews the
// clocks of its callers. It implements k8s.io/utils/clock.PassiveClock.
type Clock struct {
	url    string
	client *http.Client
	wall   clock.PassiveClock
	ctx    context.Context //nolint:containedctx // Now has no argument to pass it in; it bounds the clock's life

	mu    sync.Mutex
	base  time.Time // simulated time at the last reading
	taken time.Time // real time of it
	tried time.Time // real time of the last attempt
	speed float64
	last  time.Time // the latest simulated time ever told, without the skew
	skew  time.Duration
}

var _ clock.PassiveClock = (*Clock)(nil)

// Dial reads the clock once. It refuses addresses beyond this machine: nobody
// else's time is to be trusted.
func Dial(ctx context.Context, address string) (*Clock, error) {
	return dial(ctx, address, clock.RealClock{})
}

func dial(ctx context.Context, address string, wall clock.PassiveClock) (*Clock, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("reading clock address: %w", err)
	}
	if u.Scheme != "http" || !loopback(u.Hostname()) {
		return nil, fmt.Errorf("clock address %q: only http on a loopback address is allowed", address)
	}
	c := &Clock{
		url:    strings.TrimSuffix(u.String(), "/") + "/time",
		client: &http.Client{Timeout: patience},
		wall:   wall,
		ctx:    ctx,
	}
	return c, c.read()
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Now is the simulated time, wrong by what the world skews its callers' clocks.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wall.Since(c.tried) >= fresh {
		_ = c.read() // where the world is silent, its time goes on by itself
	}
	now := c.base.Add(time.Duration(float64(c.wall.Since(c.taken)) * c.speed))
	if now.Before(c.last) {
		now = c.last
	}
	c.last = now
	return now.Add(c.skew)
}

// Since is how long ago a simulated moment was.
func (c *Clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Speed is how much faster than real time the world's time passes; 0 if it
// passes only when told.
func (c *Clock) Speed() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speed
}

// read takes a reading.
func (c *Clock) read() error {
	sent := c.wall.Now()
	c.tried = sent
	req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, c.url, http.NoBody)
	if err != nil {
		return fmt.Errorf("reading clock: %w", err)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("reading clock: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	var reading struct {
		Now   time.Time `json:"now"`
		Speed float64   `json:"speed"`
		Skew  string    `json:"skew"`
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("reading clock: %s", resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&reading); err != nil {
		return fmt.Errorf("reading clock: %w", err)
	}
	skew := time.Duration(0)
	if reading.Skew != "" {
		if skew, err = time.ParseDuration(reading.Skew); err != nil {
			return fmt.Errorf("reading clock: skew: %w", err)
		}
	}
	c.base, c.speed, c.skew = reading.Now, reading.Speed, skew
	c.taken = c.wall.Now()
	return nil
}
