package cloudrun

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	run "google.golang.org/api/run/v2"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// listPageSize is how many services come in one page: a service is some 10
	// KiB, and a page must stay well under what the transport lets in.
	listPageSize = 100
	// maxListPages bounds the pages of one list; a project and location hold at
	// most 1,000 services by default (Cloud Run quotas).
	maxListPages = 20
	// listRetry is how long a list that failed is not tried again: whoever asks
	// reads his service by itself meanwhile.
	listRetry = time.Minute
)

// Watch looks at many services for the price of few calls: one services.list
// for each project and location, however many services are asked for, and
// revisions that are read again only when they are older than whoever asks
// allows. What it says may be old. It is for noticing that something is to be
// decided, never for deciding it. It is safe for concurrent use.
type Watch struct {
	client *Client
	report func(error)

	mu        sync.Mutex
	places    map[place]*listing
	revisions map[seenKey]seen
}

// place is what one list covers.
type place struct{ project, location string }

// listing is the newest list of a place. Its turn is held by whoever reads or
// renews it, so that concurrent passes share one call.
type listing struct {
	turn     chan struct{}
	services map[string]rollout.Service
	at, next time.Time // of the list, and before which it is not tried again
}

type seenKey struct {
	ref  rollout.ServiceRef
	name string
}

// seen is a revision as it was read.
type seen struct {
	revision rollout.Revision
	at       time.Time
}

// NewWatch makes a watch that reads through a client. It reports each list that
// failed, at most once a minute for each place.
func NewWatch(client *Client, report func(error)) *Watch {
	return &Watch{client: client, report: report, places: map[place]*listing{}, revisions: map[seenKey]seen{}}
}

// Listed returns a service as a list showed it at most maxAge before now. It
// tells whether there is such a list and the service is whole in it; if not, a
// live read must say why.
func (w *Watch) Listed(ctx context.Context, ref rollout.ServiceRef, now time.Time, maxAge time.Duration) (rollout.Service, bool) {
	if _, err := serviceName(ref); err != nil {
		return rollout.Service{}, false
	}
	l := w.listing(place{ref.Project, ref.Location})
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return rollout.Service{}, false
	}
	defer func() { <-l.turn }()
	if !fresh(l.at, now, maxAge) {
		if now.Before(l.next) && !now.Before(l.next.Add(-listRetry)) {
			return rollout.Service{}, false
		}
		services, err := w.client.list(ctx, ref.Project, ref.Location)
		if err != nil {
			l.services, l.at = nil, time.Time{}
			if !errors.Is(ctx.Err(), context.Canceled) { // then it says nothing about the list
				l.next = now.Add(listRetry)
				w.report(err)
			}
			return rollout.Service{}, false
		}
		l.services, l.at, l.next = services, now, time.Time{}
	}
	service, ok := l.services[ref.Name]
	return service, ok
}

// Remembered returns revisions as they were read at most maxAge before now, and
// reads the others live. Only ready ones are remembered: all others are about to
// change, and somebody waits for it.
func (w *Watch) Remembered(
	ctx context.Context, ref rollout.ServiceRef, names []string, now time.Time, maxAge time.Duration,
) (map[string]rollout.Revision, error) {
	known := map[string]rollout.Revision{}
	var missing []string
	w.mu.Lock()
	for _, name := range names {
		if have, ok := w.revisions[seenKey{ref, name}]; ok && fresh(have.at, now, maxAge) {
			known[name] = have.revision
		} else {
			missing = append(missing, name)
		}
	}
	w.mu.Unlock()
	if len(missing) == 0 {
		return known, nil
	}
	read, err := w.client.Revisions(ctx, ref, missing)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, revision := range read {
		known[name] = revision
		if revision.Presence == rollout.Found && revision.Readiness == rollout.Ready {
			w.revisions[seenKey{ref, name}] = seen{revision, now}
		}
	}
	w.forget(now)
	return known, nil
}

// forgetAfter is how long a revision that nobody asks for is kept.
const forgetAfter = 24 * time.Hour

// forget drops what is old. The lock is held.
func (w *Watch) forget(now time.Time) {
	for key, have := range w.revisions {
		if !fresh(have.at, now, forgetAfter) {
			delete(w.revisions, key)
		}
	}
}

func (w *Watch) listing(at place) *listing {
	w.mu.Lock()
	defer w.mu.Unlock()
	l, ok := w.places[at]
	if !ok {
		l = &listing{turn: make(chan struct{}, 1)}
		w.places[at] = l
	}
	return l
}

// fresh tells whether something was read less than maxAge before now, or after
// it, by a pass that was a little later. What seems to come from further in the
// future was read before the clock was set back.
func fresh(at, now time.Time, maxAge time.Duration) bool {
	return !at.IsZero() && now.Sub(at).Abs() < maxAge
}

// list reads all services of a place. One that cannot be understood is left out.
func (c *Client) list(ctx context.Context, project, location string) (map[string]rollout.Service, error) {
	op := fmt.Sprintf("listing the services of %q in %q", clean(project), clean(location))
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	services := map[string]rollout.Service{}
	token := ""
	for range maxListPages {
		sent := c.now()
		answer, err := c.api.Projects.Locations.Services.List("projects/" + project + "/locations/" + location).
			PageSize(listPageSize).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, readError(op, err)
		}
		for name, service := range whole(project, location, answer.Services) {
			service.Skew = c.apart(sent, answer.ServerResponse)
			services[name] = service
		}
		if answer.NextPageToken == "" {
			return services, nil
		}
		token = answer.NextPageToken
	}
	return nil, &CallError{Op: op, Kind: ErrGarbled, Detail: "pages without end"}
}

// whole are the services of a page that can be understood, by name.
func whole(project, location string, page []*run.GoogleCloudRunV2Service) map[string]rollout.Service {
	services := map[string]rollout.Service{}
	for _, answer := range page {
		if answer == nil {
			continue
		}
		ref := rollout.ServiceRef{Project: project, Location: location, Name: lastPart(answer.Name)}
		if service, err := convertService(ref, answer); err == nil {
			services[ref.Name] = service
		}
	}
	return services
}
