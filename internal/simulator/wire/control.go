package wire

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Time is the answer of the control endpoint's /time. A caller's clock shows Now
// plus Skew.
type Time struct {
	Now   time.Time          `json:"now"`
	Speed float64            `json:"speed"`
	Start time.Time          `json:"start"`
	Skew  simulator.Duration `json:"skew,omitzero"`
}

// control directs the play.
type control struct{ guard *Guard }

// Control serves the control endpoint. docs/simulator.md lists its paths.
func Control(g *Guard) http.Handler {
	c := control{g}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /time", c.time)
	mux.HandleFunc("POST /time", c.setTime)
	mux.HandleFunc("POST /deploy", c.deploy)
	mux.HandleFunc("POST /traffic", c.traffic)
	mux.HandleFunc("POST /lose", c.lose)
	mux.HandleFunc("POST /fail", c.fail)
	mux.HandleFunc("POST /users", c.users)
	mux.HandleFunc("POST /faults", c.inject)
	mux.HandleFunc("DELETE /faults", c.heal)
	mux.HandleFunc("GET /log", c.log)
	mux.HandleFunc("GET /state", c.state)
	mux.HandleFunc("GET /requests", c.requests)
	mux.HandleFunc("GET /minutes", c.minutes)
	return mux
}

// do runs f with the world to itself and writes what it gives.
func (c control) do(w http.ResponseWriter, r *http.Request, f func(*simulator.World) (any, error)) {
	var v any
	var err error
	c.guard.Do(func(world *simulator.World) { v, err = f(world) })
	if err != nil {
		answer(w, r, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	answer(w, r, http.StatusOK, v)
}

// with reads a body before it does.
func with[T any](c control, w http.ResponseWriter, r *http.Request, f func(*simulator.World, T) (any, error)) {
	var body T
	if _, err := read(w, r, &body); err != nil {
		answer(w, r, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	c.do(w, r, func(world *simulator.World) (any, error) { return f(world, body) })
}

// nothing is the answer of what has nothing to say.
type nothing struct{}

func (c control) time(w http.ResponseWriter, r *http.Request) {
	now, speed := c.guard.Now()
	c.do(w, r, func(world *simulator.World) (any, error) {
		return Time{Now: now, Speed: speed, Start: world.Start(), Skew: simulator.Duration(world.Skew())}, nil
	})
}

// pace is what POST /time takes: a new speed, an advance, or both.
type pace struct {
	Speed   *float64           `json:"speed,omitempty"`
	Advance simulator.Duration `json:"advance,omitempty"`
	To      time.Time          `json:"to,omitzero"`
}

func (c control) setTime(w http.ResponseWriter, r *http.Request) {
	var p pace
	if _, err := read(w, r, &p); err != nil {
		answer(w, r, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	if p.Speed != nil {
		c.guard.SetSpeed(*p.Speed)
	}
	c.guard.Do(func(world *simulator.World) {
		world.Advance(time.Duration(p.Advance))
		world.AdvanceTo(p.To)
	})
	c.time(w, r)
}

// deployment is what POST /deploy takes.
type deployment struct {
	Service string `json:"service"`
	simulator.Deployment
}

func (c control) deploy(w http.ResponseWriter, r *http.Request) {
	with(c, w, r, func(world *simulator.World, d deployment) (any, error) {
		name, err := world.Deploy(d.Service, d.Deployment)
		return map[string]string{"revision": name}, err
	})
}

// edit is what POST /traffic takes.
type edit struct {
	Service string `json:"service"`
	simulator.TrafficEdit
}

func (c control) traffic(w http.ResponseWriter, r *http.Request) {
	with(c, w, r, func(world *simulator.World, e edit) (any, error) {
		return nothing{}, world.EditTraffic(e.Service, e.Traffic, e.By)
	})
}

// fate is what POST /lose and POST /fail take.
type fate struct {
	Revision string `json:"revision,omitempty"`
	Service  string `json:"service,omitempty"`
	simulator.StartupFailure
}

func (c control) lose(w http.ResponseWriter, r *http.Request) {
	with(c, w, r, func(world *simulator.World, f fate) (any, error) {
		if f.Revision == "" {
			return nothing{}, world.LoseService(f.Service)
		}
		return nothing{}, world.LoseRevision(f.Revision)
	})
}

func (c control) fail(w http.ResponseWriter, r *http.Request) {
	with(c, w, r, func(world *simulator.World, f fate) (any, error) {
		return nothing{}, world.FailRevision(f.Revision, f.StartupFailure)
	})
}

// level is what POST /users takes.
type level struct {
	Service           string  `json:"service"`
	RequestsPerSecond float64 `json:"requestsPerSecond"`
}

func (c control) users(w http.ResponseWriter, r *http.Request) {
	with(c, w, r, func(world *simulator.World, l level) (any, error) {
		return nothing{}, world.SetUsers(l.Service, l.RequestsPerSecond)
	})
}

func (c control) inject(w http.ResponseWriter, r *http.Request) {
	with(c, w, r, func(world *simulator.World, f simulator.Fault) (any, error) {
		return nothing{}, world.Inject(f)
	})
}

func (c control) heal(w http.ResponseWriter, r *http.Request) {
	c.do(w, r, func(world *simulator.World) (any, error) {
		world.ClearFaults()
		return nothing{}, nil
	})
}

func (c control) log(w http.ResponseWriter, r *http.Request) {
	since, _ := strconv.Atoi(r.URL.Query().Get("since"))
	c.do(w, r, func(world *simulator.World) (any, error) { return world.LogSince(since), nil })
}

// overview is the answer of GET /state, by the full name of the service.
type overview struct {
	Now      time.Time                  `json:"now"`
	Services map[string]simulator.State `json:"services"`
}

func (c control) state(w http.ResponseWriter, r *http.Request) {
	c.do(w, r, func(world *simulator.World) (any, error) {
		o := overview{Now: world.Now(), Services: map[string]simulator.State{}}
		for _, name := range world.Services() {
			s, err := world.State(name)
			if err != nil {
				return nil, err
			}
			o.Services[name] = s
		}
		return o, nil
	})
}

func (c control) requests(w http.ResponseWriter, r *http.Request) {
	c.during(w, r, func(world *simulator.World, from, to time.Time) (any, error) {
		return world.AllRequests(r.URL.Query().Get("service"), from, to)
	})
}

func (c control) minutes(w http.ResponseWriter, r *http.Request) {
	c.during(w, r, func(world *simulator.World, from, to time.Time) (any, error) { return world.Minutes(from, to), nil })
}

// during does what is asked of an interval; by default of all the time there was.
func (c control) during(w http.ResponseWriter, r *http.Request, f func(world *simulator.World, from, to time.Time) (any, error)) {
	c.do(w, r, func(world *simulator.World) (any, error) {
		from, err := moment(r, "from", world.Start())
		if err != nil {
			return nil, err
		}
		to, err := moment(r, "to", world.Now())
		if err != nil {
			return nil, err
		}
		return f(world, from, to)
	})
}

func moment(r *http.Request, name string, usual time.Time) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return usual, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}
