package soak

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	// listRetry is how long a list that failed is not tried again.
	listRetry = time.Minute
	// throttledAge is how old may be what a quota keeps from being read anew.
	throttledAge = 10 * time.Minute
)

// listing is the newest list of services, as cloudrun.Watch keeps it.
type listing struct {
	service  rollout.Service
	found    bool
	at, next time.Time // of the list, and before which it is not tried again

	throttled error // kept out what would be newer, if it is not nil
}

// seen is a revision as it was read.
type seen struct {
	revision rollout.Revision
	at       time.Time
}

// Listed implements controllers.Watcher the way cloudrun.Watch does.
func (c *cloud) Listed(
	ctx context.Context, _ rollout.ServiceRef, now time.Time, maxAge time.Duration,
) (svc rollout.Service, ok bool, err error) {
	l := &c.list
	if !l.fresh(now, maxAge) && !l.left(now) {
		c.renew(now)
	}
	l.service.Skew = c.process.skew
	switch {
	case l.fresh(now, maxAge):
		return l.service, l.found, nil
	case l.throttled == nil, cloudrun.Rests(ctx):
		return rollout.Service{}, false, nil // then a live read must say why
	case l.fresh(now, throttledAge):
		c.process.stage.count.sometimes[listOfBefore]++
		return l.service, l.found, l.throttled
	}
	return rollout.Service{}, false, l.throttled
}

// renew reads the list anew. One that a quota kept out stays as it is.
func (c *cloud) renew(now time.Time) {
	l := &c.list
	var all []simulator.Service
	err := c.process.call(listCall, func() (err error) {
		all, err = c.api.ListServices("projects/" + project + "/locations/" + region)
		return err
	})
	err = callError("listing the services", err)
	l.throttled = nil
	switch {
	case err == nil:
		*l = listing{at: now}
		for _, one := range all {
			if one.Name == fullName {
				l.service, l.found = c.senses.ReadService(one), true
			}
		}
		return
	case errors.Is(err, cloudrun.ErrThrottled):
		l.throttled = err
	default:
		*l = listing{}
	}
	l.next = now.Add(listRetry)
}

// fresh tells whether the list was read less than maxAge before a time, or after it.
func (l *listing) fresh(now time.Time, maxAge time.Duration) bool {
	return !l.at.IsZero() && now.Sub(l.at).Abs() < maxAge
}

// left tells whether a list that failed is left alone for now.
func (l *listing) left(now time.Time) bool {
	return now.Before(l.next) && !now.Before(l.next.Add(-listRetry))
}

// Remembered implements controllers.Watcher the way cloudrun.Watch does.
func (c *cloud) Remembered(
	ctx context.Context, ref rollout.ServiceRef, names []string, now time.Time, maxAge time.Duration,
) (map[string]rollout.Revision, error) {
	known, missing := c.recall(names, now, maxAge)
	read, err := c.Revisions(ctx, ref, missing)
	if err != nil {
		return known, err
	}
	var kept []string
	for name, r := range read {
		known[name] = r
		switch {
		case r.Presence == rollout.Found && r.Readiness == rollout.Ready:
			c.seen[name] = seen{r, now}
		case r.Presence != rollout.Unknown:
			delete(c.seen, name)
		case strings.HasPrefix(r.Why, "429"):
			kept = append(kept, name)
		}
	}
	if len(kept) == 0 || cloudrun.Rests(ctx) {
		return known, nil
	}
	older, _ := c.recall(kept, now, throttledAge)
	maps.Copy(known, older)
	return known, &cloudrun.CallError{Op: "reading revisions", Kind: cloudrun.ErrThrottled}
}

// recall returns those of revisions that were read at most maxAge before now, and the
// names of the others.
func (c *cloud) recall(names []string, now time.Time, maxAge time.Duration) (known map[string]rollout.Revision, missing []string) {
	known = map[string]rollout.Revision{}
	for _, name := range names {
		if have, ok := c.seen[name]; ok && now.Sub(have.at).Abs() < maxAge {
			known[name] = have.revision
		} else {
			missing = append(missing, name)
		}
	}
	return known, missing
}
