package monitoring

import (
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
)

const (
	// defaultPerMinute is a quarter of what a project has for everybody who reads
	// its metrics: QueryRequestsPerMinutePerProject is 6000 unless it was changed
	// (the value in the API's own quota errors, in public code).
	defaultPerMinute = 1500

	// The wait after a first failure, and the longest after many, when the API
	// does not say how long to wait.
	firstWait   = 5 * time.Second
	longestWait = 2 * time.Minute
	// longestTold is the longest wait that is believed when the API says it.
	longestTold = 10 * time.Minute
)

// leaveAlone are the outcomes after which everybody waits: who calls again at once
// is refused again, or hangs again.
var leaveAlone = map[codes.Code]bool{codes.ResourceExhausted: true, codes.Unavailable: true, codes.DeadlineExceeded: true}

// quotas are the calls for each project. What failed is remembered, to be told to
// all who may not ask because of it. Time is what the callers tell.
type quotas = google.Buckets[string, trouble]

type quota = google.Bucket[trouble]

func limits(perMinute int, random func() float64) google.Limits {
	return google.Limits{
		PerMinute: perMinute, FirstWait: firstWait, LongestWait: longestWait, LongestTold: longestTold,
		Overtaken: overtaken, Random: random,
	}
}

// take takes one call out of a project's quota, or says why not.
func (c *Client) take(q *quota, w watch) trouble { return c.takeLeaving(q, w, 0) }

// takeLeaving takes one call, but not out of the last part of the burst; 0 is none.
func (c *Client) takeLeaving(q *quota, w watch, reserve int) trouble {
	no := q.Take(w.now, reserve)
	switch {
	case no == nil:
		return trouble{}
	case no.Told:
		t := no.Reason
		t.detail, t.until = google.NotBefore(t.detail, no.Until), no.Until
		return t
	}
	return trouble{cause: analysis.CauseThrottled, detail: fmt.Sprintf(
		"Sluice's own limit for a project, %d calls a minute, is used up", c.quotas.Limits.PerMinute)}
}

// settle notes how a call ended, and returns what is wrong.
func settle(q *quota, err error, w watch) trouble {
	if err == nil {
		q.Well(w.now)
		return trouble{}
	}
	cause, detail := causeOf(err)
	t := trouble{cause: cause, detail: detail}
	if leaveAlone[codeOf(err)] {
		t.until = q.Shut(w.now, retryInfo(err), t)
	}
	return t
}

func isThrottled(err error) bool { return codeOf(err) == codes.ResourceExhausted }

// retryInfo is how long the API asks to be left alone (google.rpc.RetryInfo); 0
// if it does not say.
func retryInfo(err error) time.Duration {
	answer, ok := status.FromError(unwrapped(err))
	if !ok {
		return 0
	}
	for _, detail := range answer.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok && info.GetRetryDelay().IsValid() {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}
