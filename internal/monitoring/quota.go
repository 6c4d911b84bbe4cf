package monitoring

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

const (
	// defaultPerMinute is a quarter of what a project has for everybody who reads
	// its metrics: QueryRequestsPerMinutePerProject is 6000 unless it was changed
	// (the value in the API's own quota errors, in public code).
	defaultPerMinute = 1500
	// burstOf is the part of a minute's calls that may be made at once.
	burstOf = 3

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

// quota decides whether a project may be asked. There is one per project, and it
// never waits: who may not ask is told why. Time is what the callers tell.
type quota struct {
	random func() float64

	mu      sync.Mutex
	limiter *rate.Limiter
	told    time.Time // the latest time that was told

	// The API wants to be left alone from the one time until the other.
	from, until time.Time
	trouble     trouble
	failures    int // in a row
}

func newQuota(perMinute int, random func() float64) *quota {
	return &quota{
		limiter: rate.NewLimiter(rate.Limit(float64(perMinute)/60), max(1, perMinute/burstOf)),
		random:  random,
	}
}

// take takes one call out of the quota, or says why not.
func (q *quota) take(now time.Time) trouble {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.shut(now) {
		t := q.trouble
		t.detail = fmt.Sprintf("%s; not asked again before %s", t.detail, t.until.UTC().Format(time.RFC3339))
		return t
	}
	q.tell(now)
	if !q.limiter.AllowN(q.told, 1) {
		return trouble{cause: analysis.CauseThrottled, detail: fmt.Sprintf(
			"Sluice's own limit for a project, %.0f calls a minute, is used up", float64(q.limiter.Limit())*60)}
	}
	return trouble{}
}

// tell notes the time. A pass that was overtaken gives no tokens for the same
// seconds again; a clock that was set back begins anew.
func (q *quota) tell(now time.Time) {
	if now.Before(q.told.Add(-overtaken)) {
		q.limiter = rate.NewLimiter(q.limiter.Limit(), q.limiter.Burst())
		q.told = now
	}
	q.told = latest(q.told, now)
}

func (q *quota) shut(now time.Time) bool {
	return now.Before(q.until) && !now.Before(q.from.Add(-overtaken))
}

// settle notes how a call ended at now, and returns what is wrong.
func (q *quota) settle(err error, now time.Time) trouble {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		if !q.shut(now) {
			q.failures = 0
		}
		return trouble{}
	}
	cause, detail := causeOf(err)
	t := trouble{cause: cause, detail: detail}
	if !leaveAlone[codeOf(err)] {
		return t
	}
	wait := retryInfo(err)
	switch {
	case wait > 0:
	case q.shut(now): // a call that was under way beside the one that failed first
		wait = q.until.Sub(now)
	default:
		q.failures++
		wait = q.backoff()
	}
	t.until = now.Add(wait)
	if q.shut(now) && q.until.After(t.until) {
		t.until = q.until
	}
	q.from, q.until, q.trouble = now, t.until, t
	return t
}

// backoff doubles with every failure. Between half and the whole of it is waited,
// so that many managers do not come back at once.
func (q *quota) backoff() time.Duration {
	wait := firstWait
	for range q.failures - 1 {
		if wait *= 2; wait >= longestWait {
			wait = longestWait
			break
		}
	}
	return wait/2 + time.Duration(q.random()*float64(wait/2))
}

// retryInfo is how long the API asks to be left alone (google.rpc.RetryInfo); 0
// if it does not say.
func retryInfo(err error) time.Duration {
	answer, ok := status.FromError(unwrapped(err))
	if !ok {
		return 0
	}
	for _, detail := range answer.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok && info.GetRetryDelay().IsValid() {
			return min(max(info.GetRetryDelay().AsDuration(), 0), longestTold)
		}
	}
	return 0
}

// quotas holds the quota of each project.
type quotas struct {
	perMinute int
	random    func() float64

	mu    sync.Mutex
	known map[string]*quota
}

func (q *quotas) of(project string) *quota {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.known == nil {
		q.known = map[string]*quota{}
	}
	if q.known[project] == nil {
		q.known[project] = newQuota(q.perMinute, q.random)
	}
	return q.known[project]
}
