package cloudrun

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	run "google.golang.org/api/run/v2"

	"github.com/sluice-rollouts/sluice/internal/google"
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
	// How old what was read may be where a quota keeps newer state out and something
	// is under way. It shows whether the metrics, which count elsewhere, ask for a way
	// back, and nothing else may be made of it.
	listThrottled      = 10 * time.Minute
	revisionsThrottled = 10 * time.Minute
)

// Watch looks at many services for the price of few calls: one services.list
// for each project and location, however many services are asked for, and
// revisions that are read again only when they are older than whoever asks
// allows. What it says may be old. It shows that there is nothing new, or that
// something is to be decided; what is written rests on a live read. It is safe for
// concurrent use.
type Watch struct {
	client *Client
	report func(error)

	mu        sync.Mutex
	places    map[place]*listing
	revisions map[seenKey]seen
	wants     map[place]map[seenKey]want
}

// place is what one list covers, and one quota.
type place struct{ project, location string }

func placeOf(ref rollout.ServiceRef) place { return place{ref.Project, ref.Location} }

// listing is the newest list of a place. Its turn is held by whoever reads or
// renews it, so that concurrent passes share one call.
type listing struct {
	turn     chan struct{}
	services map[string]rollout.Service
	at, next time.Time // of the list, and before which it is not tried again

	throttled error // kept out what would be newer, if it is not nil
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
	return &Watch{
		client: client, report: report,
		places: map[place]*listing{}, revisions: map[seenKey]seen{}, wants: map[place]map[seenKey]want{},
	}
}

// Listed returns a service as a list showed it at most maxAge before now. It tells
// whether there is such a list and the service is whole in it; if not, a live read
// must say why. The only error is ErrThrottled, of a list that a quota does not let in
// now: where that is our own, a thousand live reads in its place would be the worse,
// and whoever can wait should. With that error and ok, what is returned is minutes
// older than was asked for.
func (w *Watch) Listed(
	ctx context.Context, ref rollout.ServiceRef, now time.Time, maxAge time.Duration,
) (service rollout.Service, ok bool, err error) {
	if _, invalid := serviceName(ref); invalid != nil {
		return rollout.Service{}, false, nil
	}
	l := w.listing(placeOf(ref))
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return rollout.Service{}, false, nil
	}
	defer func() { <-l.turn }()
	if !fresh(l.at, now, maxAge) && !l.left(now) {
		w.renew(ctx, l, placeOf(ref), now)
	}
	switch {
	case fresh(l.at, now, maxAge):
		service, ok = l.services[ref.Name]
		return service, ok, nil
	case l.throttled == nil, Rests(ctx) && !errors.Is(l.throttled, ErrNotAsked):
		return rollout.Service{}, false, nil
	case !Rests(ctx) && fresh(l.at, now, listThrottled):
		service, ok = l.services[ref.Name]
	}
	return service, ok, l.throttled
}

// left tells whether a list that failed is left alone for now.
func (l *listing) left(now time.Time) bool {
	return now.Before(l.next) && !now.Before(l.next.Add(-listRetry))
}

// renew reads a list anew; its turn is held. One that a quota kept out stays as it
// is: it may be new enough for somebody else.
func (w *Watch) renew(ctx context.Context, l *listing, at place, now time.Time) {
	services, err := w.client.list(ctx, at)
	l.throttled = nil
	switch {
	case err == nil:
		l.services, l.at, l.next = services, now, time.Time{}
		return
	case errors.Is(err, ErrThrottled):
		l.throttled = err
	default:
		l.services, l.at = nil, time.Time{}
	}
	if errors.Is(err, ErrNotAsked) || errors.Is(ctx.Err(), context.Canceled) { // then it says nothing about the list
		return
	}
	l.next = now.Add(listRetry)
	w.report(err)
}

// Remembered returns revisions as they were read at most maxAge before now, or longer
// where a crowd wants some in their place, and reads the others live. Only ready ones
// are remembered: all others are about to change, and somebody waits for it. It fails
// with ErrThrottled where a quota does not let one in now, and then returns with it what
// was read some minutes earlier, if that is known and something is under way; what it
// read before that is remembered.
func (w *Watch) Remembered(
	ctx context.Context, ref rollout.ServiceRef, names []string, now time.Time, maxAge time.Duration,
) (map[string]rollout.Revision, error) {
	known, missing := w.recall(ref, names, now, w.bearable(ref, names, now, maxAge))
	if len(missing) == 0 {
		return known, nil
	}
	answers, err := w.client.revisions(ctx, ref, missing, classOr(ctx, watching))
	w.remember(ref, answers, now)
	maps.Copy(known, answers)
	if Rests(ctx) && !errors.Is(err, ErrNotAsked) {
		return known, nil
	}
	if err != nil && !Rests(ctx) {
		older, _ := w.recall(ref, unread(answers), now, revisionsThrottled)
		maps.Copy(known, older)
	}
	return known, err
}

// unread are the names of revisions that could not be read.
func unread(answers map[string]rollout.Revision) (names []string) {
	for name, revision := range answers {
		if revision.Presence == rollout.Unknown {
			names = append(names, name)
		}
	}
	return names
}

// recall returns those of revisions that were read at most maxAge before now, and
// the names of the others.
func (w *Watch) recall(
	ref rollout.ServiceRef, names []string, now time.Time, maxAge time.Duration,
) (known map[string]rollout.Revision, missing []string) {
	known = map[string]rollout.Revision{}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		if have, ok := w.revisions[seenKey{ref, name}]; ok && fresh(have.at, now, maxAge) {
			known[name] = have.revision
		} else {
			missing = append(missing, name)
		}
	}
	return known, missing
}

// remember keeps the ready ones of revisions that were read, and forgets the others.
func (w *Watch) remember(ref rollout.ServiceRef, read map[string]rollout.Revision, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, revision := range read {
		switch {
		case revision.Presence == rollout.Found && revision.Readiness == rollout.Ready:
			w.revisions[seenKey{ref, name}] = seen{revision, now}
		case revision.Presence != rollout.Unknown:
			delete(w.revisions, seenKey{ref, name}) // what it was like before is no longer so
		}
	}
	w.forget(now)
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
// The class weighs for the first page alone: a list that broke off is no use, and
// would be begun again.
func (c *Client) list(ctx context.Context, at place) (map[string]rollout.Service, error) {
	op := fmt.Sprintf("listing the services of %q in %q", google.Clean(at.project), google.Clean(at.location))
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	services := map[string]rollout.Service{}
	what, token := lookup{op, at, classOr(ctx, shared)}, ""
	for range maxListPages {
		sent := c.now()
		answer, failure := read(c, what, func() (*run.GoogleCloudRunV2ListServicesResponse, error) {
			return c.api.Projects.Locations.Services.List("projects/" + at.project + "/locations/" + at.location).
				PageSize(listPageSize).PageToken(token).Context(ctx).Do()
		})
		if failure != nil {
			return nil, failure
		}
		for name, service := range whole(at, answer.Services) {
			service.Skew = c.apart(sent, answer.ServerResponse)
			services[name] = service
		}
		if answer.NextPageToken == "" {
			return services, nil
		}
		what.of, token = shared, answer.NextPageToken
	}
	return nil, &CallError{Op: op, Kind: ErrGarbled, Detail: "pages without end"}
}

// whole are the services of a page that can be understood, by name.
func whole(at place, page []*run.GoogleCloudRunV2Service) map[string]rollout.Service {
	services := map[string]rollout.Service{}
	for _, answer := range page {
		if answer == nil {
			continue
		}
		ref := rollout.ServiceRef{Project: at.project, Location: at.location, Name: lastPart(answer.Name)}
		if service, err := convertService(ref, answer); err == nil {
			services[ref.Name] = service
		}
	}
	return services
}
