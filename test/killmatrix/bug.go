package killmatrix

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Bug is a deliberate mistake. It is made by what stands around the controller,
// never by the controller itself, and shows that the matrix can find one.
type Bug struct {
	Name string
	// at is where a kill brings it to light.
	at func(Scene, Point) bool
	// born is what a controller does wrong when it starts after another one.
	born func(ctx context.Context, l *life, cloud http.RoundTripper) error
	// stored and read edit a status on its way to the apiserver and back.
	stored, read func(l *life, s *v1alpha1.CloudRunRolloutStatus)
}

// Bugs are mistakes that the matrix must find.
var Bugs = []Bug{
	{
		Name:   "what was intended is kept in memory only",
		at:     patch("healthy", 2),
		stored: func(l *life, s *v1alpha1.CloudRunRolloutStatus) { hide(s, &l.held.intents, intentsOf) },
		read:   func(l *life, s *v1alpha1.CloudRunRolloutStatus) { show(s, l.held.intents, intentsOf) },
	},
	{
		Name:   "what was given up is kept in memory only",
		at:     patch("bad", 3),
		stored: func(l *life, s *v1alpha1.CloudRunRolloutStatus) { hide(s, &l.held.latched, latchedOf) },
		read:   func(l *life, s *v1alpha1.CloudRunRolloutStatus) { show(s, l.held.latched, latchedOf) },
	},
	{
		Name: "a start sends the last write again, with a fresh etag",
		at:   patch("healthy", 3),
		born: resend,
	},
	{
		Name: "a start takes what shall serve most as the way back",
		at:   patch("healthy", 3),
		read: func(l *life, s *v1alpha1.CloudRunRolloutStatus) {
			if !first(l) || s.Attempt == nil || s.Attempt.Baseline == nil {
				return
			}
			for _, intent := range s.Attempt.Intents {
				for _, share := range intent.Split {
					if share.Percent > 50 {
						s.Attempt.Baseline.Revision = share.Revision
					}
				}
			}
		},
	},
	{
		Name: "a start counts the minutes before it as baked",
		at:   func(s Scene, p Point) bool { return s.Name == "healthy" && p.Call == "create event" && p.Nth > 4 },
		read: func(l *life, s *v1alpha1.CloudRunRolloutStatus) {
			if first(l) && s.Attempt != nil && s.Attempt.EffectiveSince != nil {
				s.Attempt.EffectiveSince.Time = s.Attempt.EffectiveSince.Add(-time.Hour)
			}
		},
	},
}

// patch is the nth PATCH of a scene: the pin, the first step, and the next write.
func patch(scene string, nth int) func(Scene, Point) bool {
	return func(s Scene, p Point) bool { return s.Name == scene && p == Point{patchCall, nth} }
}

// hidden is what a wrong controller keeps in memory.
type hidden struct {
	intents []v1alpha1.Intent
	latched []string
	fresh   bool // it has read the object once
}

// saboteur stands between a gate and the apiserver, and makes a bug's mistakes.
type saboteur struct {
	life *life
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s saboteur) RoundTrip(req *http.Request) (*http.Response, error) {
	bug := s.life.play.bug
	c := callOf(req)
	if bug == nil || !c.object {
		return s.next.RoundTrip(req)
	}
	if c.write && bug.stored != nil {
		sent, err := drained(req)
		if err != nil {
			return nil, err
		}
		edited, err := s.edit(sent, bug.stored)
		if err != nil {
			return nil, err
		}
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(edited)), int64(len(edited))
	}
	answer, err := s.next.RoundTrip(req)
	if err != nil || answer.StatusCode != http.StatusOK || bug.read == nil {
		return answer, err
	}
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	edited, err := s.edit(got, bug.read)
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(edited)), int64(len(edited))
	return answer, err
}

func (s saboteur) edit(text []byte, edit func(*life, *v1alpha1.CloudRunRolloutStatus)) ([]byte, error) {
	ro := v1alpha1.CloudRunRollout{}
	if err := json.Unmarshal(text, &ro); err != nil {
		return nil, err
	}
	edit(s.life, &ro.Status)
	return json.Marshal(ro)
}

func intentsOf(a *v1alpha1.Attempt) *[]v1alpha1.Intent { return &a.Intents }

func latchedOf(a *v1alpha1.Attempt) *[]string { return &a.Latched }

// hide takes a field out of a status that is stored.
func hide[T any](s *v1alpha1.CloudRunRolloutStatus, held *[]T, field func(*v1alpha1.Attempt) *[]T) {
	if s.Attempt != nil {
		*held, *field(s.Attempt) = *field(s.Attempt), nil
	}
}

// show puts it back into what the same life reads.
func show[T any](s *v1alpha1.CloudRunRolloutStatus, held []T, field func(*v1alpha1.Attempt) *[]T) {
	if s.Attempt != nil {
		*field(s.Attempt) = held
	}
}

// first tells whether a successor reads the object for the first time.
func first(l *life) bool {
	is := l.number > 0 && !l.held.fresh
	l.held.fresh = true
	return is
}

// resend reads the service and sends the newest intent on whatever is there.
func resend(ctx context.Context, l *life, cloud http.RoundTripper) error {
	a := l.play.status.Attempt
	if a == nil || len(a.Intents) == 0 {
		return nil
	}
	const address = "http://127.0.0.1:1/v2/" + fullName
	web := http.Client{Transport: cloud}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := web.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	var sent simulator.Service
	if err := json.NewDecoder(answer.Body).Decode(&sent); err != nil {
		return err
	}
	sent = simulator.Service{Etag: sent.Etag}
	for _, share := range a.Intents[len(a.Intents)-1].Split {
		sent.Traffic = append(sent.Traffic, simulator.TrafficTarget{
			Type: simulator.AllocateRevision, Revision: share.Revision, Percent: int(share.Percent),
		})
	}
	text, err := json.Marshal(sent)
	if err != nil {
		return err
	}
	req, err = http.NewRequestWithContext(ctx, http.MethodPatch, address+"?updateMask=traffic", bytes.NewReader(text))
	if err != nil {
		return err
	}
	again, err := web.Do(req)
	if err == nil {
		_ = again.Body.Close()
	}
	return err
}

// Find plays the part of the matrix in which a bug must be found.
func (b *Bench) Find(ctx context.Context, bug *Bug) (Report, error) {
	return b.Matrix(ctx, Options{Bug: bug, First: true, Only: bug.at})
}
