package analysis

import "time"

const (
	// Settle is how long a split that took effect is not judged: routing is "not
	// instantaneous" (Cloud Run docs, rollouts) and its span undocumented.
	Settle = 60 * time.Second
	// longestHang bounds how long a hung request is waited for: it is counted
	// when it ends, at the latest after its timeout.
	longestHang = 10 * time.Minute
	// DefaultTimeout is Cloud Run's request timeout when none is reported.
	DefaultTimeout = 5 * time.Minute
)

// Bake is what a step waits for: further minutes of evidence, and the end of a
// request that hung as its split began to serve.
type Bake struct {
	Since   time.Time     // its split serves
	Through time.Time     // it was judged up to here; zero before its first minute
	Needed  int           // further healthy minutes; 0 or less for none
	Timeout time.Duration // of the candidate's requests; 0 where none is reported
	Delay   time.Duration // of the metrics
}

// Hung is when a request that hung as the split began to serve has ended, so that it
// is counted.
func (b Bake) Hung() time.Time {
	timeout := b.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return b.Since.Add(min(timeout, longestHang))
}

// Reported is when the needed minutes are known, if each one from now on is healthy
// and arrives when it should.
func (b Bake) Reported() time.Time {
	from := ceilMinute(b.Since.Add(Settle))
	if b.Through.After(from) {
		from = b.Through
	}
	return from.Add(time.Duration(max(0, b.Needed))*time.Minute + b.Delay)
}

// Earliest is when that is known as well as whatever hung: the step cannot pass before.
func (b Bake) Earliest() time.Time {
	if hung := ceilMinute(b.Hung()).Add(b.Delay); hung.After(b.Reported()) {
		return hung
	}
	return b.Reported()
}
