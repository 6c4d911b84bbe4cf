package pilot

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Release is a revision that was deployed, as the world's own log tells it.
type Release struct {
	Service  string // in full
	Revision string
	Deployed time.Time
	Ready    time.Time // zero if it never was
	Failed   string    // Cloud Run's reason if it did not become ready
	First    time.Time // since when it got traffic; zero if it never did
	Whole    time.Time // since when it got all of it; zero if it never did
	Back     time.Time // since when it got none again; zero if it kept some
	Most     int       // largest percent that it got
}

// Took is how long it was until the revision had all traffic, 0 if it never had.
func (r Release) Took() time.Duration {
	if r.Whole.IsZero() {
		return 0
	}
	return r.Whole.Sub(r.Deployed)
}

// Releases lists what was deployed in a world after its beginning.
func Releases(world *simulator.World) []Release {
	var all []Release
	for _, e := range world.Log() {
		switch e.Kind {
		case simulator.EventRevisionCreated:
			if e.At.After(world.Start()) {
				all = append(all, Release{Service: e.Service, Revision: e.Revision, Deployed: e.At})
			}
		case simulator.EventRevisionReady, simulator.EventRevisionFailed, simulator.EventEffective:
			for i := range all {
				if all[i].Service == e.Service {
					all[i].live(e)
				}
			}
		case simulator.EventCall, simulator.EventDesired, simulator.EventSettled, simulator.EventRevisionLost, simulator.EventInstanceFailed,
			simulator.EventTally, simulator.EventFault:
		}
	}
	return all
}

// live adds an event of its service to a release.
func (r *Release) live(e simulator.Event) {
	mine := e.Revision == r.Revision
	switch {
	case e.Kind == simulator.EventRevisionReady && mine && r.Ready.IsZero():
		r.Ready = e.At
	case e.Kind == simulator.EventRevisionFailed && mine:
		r.Failed = e.Text
	case e.Kind == simulator.EventEffective:
		r.serve(e.At, e.Split[r.Revision])
	}
}

func (r *Release) serve(at time.Time, percent int) {
	r.Most = max(r.Most, percent)
	if percent > 0 && r.First.IsZero() {
		r.First = at
	}
	if percent == 100 && r.Whole.IsZero() {
		r.Whole = at
	}
	r.Back = time.Time{}
	if percent == 0 && !r.First.IsZero() {
		r.Back = at
	}
}
