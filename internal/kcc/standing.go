package kcc

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Standing says how far Config Connector is with what spec says.
type Standing string

// The standings. Only the last two are the end of an attempt.
const (
	Unseen Standing = "Unseen" // it has not looked since spec changed
	Acting Standing = "Acting" // it has looked, and updates or waits for something
	Failed Standing = "Failed" // its update was refused, and is tried again
	Done   Standing = "Done"   // it says that the service is as spec says
)

// Standing reads generation and condition together: a condition is about the
// generation that was observed. While paused Config Connector writes neither, so
// that its work stays Unseen.
func (r RunService) Standing() Standing {
	switch {
	case r.Observed < r.Generation:
		return Unseen
	case r.Ready.True && r.Ready.Reason == "UpToDate":
		return Done
	case r.Ready.Reason == "UpdateFailed":
		return Failed
	}
	return Acting
}

// open tells whether what Config Connector does next is not known yet.
func (s Standing) open() bool { return s == Unseen || s == Acting }

// seen shows a RunService and its service as one service. Until Config Connector
// is through with it, spec is what is asked for; after that Cloud Run is, because
// what differs then was set by somebody else.
func seen(r RunService, live rollout.Service) rollout.Service {
	if live.Presence != rollout.Found {
		return live
	}
	standing := r.Standing()
	live.ETag = versionOf(r, live)
	live.Reconciling = live.Reconciling || standing.open()
	if len(r.Traffic) == 0 || r.Unclear != "" || standing == Done {
		return live
	}
	live.Desired = r.Traffic
	if standing == Failed && live.Failure == "" {
		live.Failure = r.Ready.Message
	}
	return live
}

// versionOf names the version of both: a write rests on the two of them.
func versionOf(r RunService, live rollout.Service) string {
	return fmt.Sprintf("%s %s/%d", live.ETag, r.UID, r.Generation)
}

// progress says how far Config Connector is, for people.
func (r RunService) progress() string {
	if r.Standing() == Unseen {
		return fmt.Sprintf("Config Connector has observed generation %d of %d", r.Observed, r.Generation)
	}
	return strings.TrimSuffix(fmt.Sprintf("Config Connector says %s: %s", r.Ready.Reason, r.Ready.Message), ": ")
}

// Late says why a split that stands in spec should be set on the service directly,
// or "". That is safe in this order alone: what an update of Config Connector under
// way puts back once, the look that spec has called for corrects. While Config
// Connector may still act by itself, patience passes first; with an update that was
// refused, or drift that it looks for every ten minutes, there is nothing to wait
// for.
func Late(r RunService, live rollout.Service, now time.Time, patience time.Duration) string {
	own, applied := ours(r.Owners)
	if !applied || len(r.Traffic) == 0 || r.Unclear != "" || sameSplit(r.Traffic, live.Desired) {
		return ""
	}
	if waited := now.Sub(own.Since); r.Standing().open() && waited < patience {
		return ""
	}
	if r.Standing() == Done {
		return fmt.Sprintf("Cloud Run was asked for %s since Config Connector looked", describe(live.Desired))
	}
	return r.progress()
}
