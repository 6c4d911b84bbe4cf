package network_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// connection is one connection of the plain model.
type connection struct {
	state string // busy, idle, wait
	since int
}

// model keeps every connection of one endpoint to one destination as an object
// and looks at all of them each second.
type model struct {
	room, idleTimeout, timeWait int
	all                         []connection
	opened, closed              int
}

func (m *model) second(now int) {
	var left []connection
	for _, c := range m.all {
		if c.state == "idle" && now-c.since >= m.idleTimeout {
			c = connection{"wait", now}
			m.closed++
		}
		if c.state == "wait" && now-c.since >= m.timeWait {
			continue
		}
		left = append(left, c)
	}
	m.all = left
}

func (m *model) open(now, want int) int {
	got := 0
	for ; got < want; got++ {
		newest := -1
		for i, c := range m.all {
			if c.state == "idle" && (newest < 0 || c.since > m.all[newest].since) {
				newest = i
			}
		}
		switch {
		case newest >= 0:
			m.all[newest] = connection{"busy", now}
		case len(m.all) < m.room:
			m.all = append(m.all, connection{"busy", now})
			m.opened++
		default:
			return got
		}
	}
	return got
}

func (m *model) leave(now, n int, state string) {
	for i := range m.all {
		if n > 0 && m.all[i].state == "busy" {
			m.all[i] = connection{state, now}
			n--
			if state == "wait" {
				m.closed++
			}
		}
	}
}

func (m *model) count() network.Connections {
	var c network.Connections
	for _, each := range m.all {
		switch each.state {
		case "busy":
			c.Busy++
		case "idle":
			c.Idle++
		default:
			c.TimeWait++
		}
	}
	return c
}

// Counts that are settled only when somebody looks are those of a model that
// looks at every connection every second.
func TestCountsAreThoseOfSingleConnections(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		addresses := rapid.IntRange(1, 3).Draw(t, "addresses")
		m := &model{
			idleTimeout: rapid.IntRange(1, 20).Draw(t, "idleTimeout"), timeWait: rapid.IntRange(1, 20).Draw(t, "timeWait"),
		}
		g := nat()
		g.PortsPerEndpoint, g.TimeWait = rapid.SampledFrom([]int{1, 8, 16}).Draw(t, "ports"), time.Duration(m.timeWait)*time.Second
		m.room = g.PortsPerEndpoint * addresses
		c := config(g)
		c.Destinations[0].Addresses, c.Destinations[0].IdleTimeout = addresses, time.Duration(m.idleTimeout)*time.Second
		n, err := network.New(c)
		if err != nil {
			t.Fatal(err)
		}
		e, err := n.AttachInstance(run, network.AllTraffic)
		if err != nil {
			t.Fatal(err)
		}
		amount, now := rapid.IntRange(0, 20), 0
		t.Repeat(map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) {
				for range rapid.IntRange(1, 8).Draw(t, "seconds") {
					now++
					m.second(now)
					n.Tick(start.Add(time.Duration(now) * time.Second))
				}
			},
			"time jumps": func(t *rapid.T) {
				for range rapid.IntRange(1, 50).Draw(t, "seconds") {
					now++
					m.second(now)
				}
				n.Tick(start.Add(time.Duration(now) * time.Second))
			},
			"open": func(t *rapid.T) {
				want := amount.Draw(t, "want")
				if got, model := e.Open(database, want), m.open(now, want); got != model {
					t.Fatalf("of %d were opened %d, want %d", want, got, model)
				}
			},
			"keep":  func(t *rapid.T) { k := amount.Draw(t, "n"); e.Keep(database, k); m.leave(now, k, "idle") },
			"close": func(t *rapid.T) { k := amount.Draw(t, "n"); e.Close(database, k); m.leave(now, k, "wait") },
			"look": func(t *rapid.T) {
				if got, want := e.Connections(database), m.count(); got != want {
					t.Fatalf("second %d: there are %+v, want %+v", now, got, want)
				}
			},
			"minute": func(t *rapid.T) {
				got, c := n.Minute()[0], m.count()
				if got.Opened != m.opened || got.Closed != m.closed || got.Open != c.Busy+c.Idle {
					t.Fatalf("the minute says %+v, want %d opened, %d closed, %+v", got, m.opened, m.closed, c)
				}
				m.opened, m.closed = 0, 0
			},
		})
	})
}
