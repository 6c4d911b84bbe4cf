package nat

import (
	"fmt"
	"time"
)

const (
	// fewest requests tell how users fare, and fewestFailed failures that they
	// suffer, if they are one in a hundred.
	fewest, fewestFailed = 20, 3
	// slower is by how much a latency must exceed twice another.
	slower = 500 * time.Millisecond
)

// known tells whether enough requests have ended.
func (h Health) known() bool { return h.Requests >= fewest }

// fails tells whether users get errors.
func (h Health) fails() bool { return h.Failed >= fewestFailed && h.Failed*100 >= h.Requests }

// failsMoreThan tells whether users get three times the errors of others'.
func (h Health) failsMoreThan(other Health) bool {
	return h.fails() && float64(h.Failed)*float64(other.Requests) >= 3*float64(other.Failed)*float64(h.Requests)
}

// waitsLongerThan tells whether users wait much longer than others'.
func (h Health) waitsLongerThan(other Health) bool {
	return h.Slow > 0 && other.Slow > 0 && h.Slow >= 2*other.Slow+slower
}

// alone tells whether only the candidate's users suffer. New instances are slow
// to reach the network behind Cloud NAT, without any drop (docs
// run/configuring/vpc-direct-vpc), so waiting says nothing soon after a rise.
// Where stable has no users left to compare with, errors must come soon.
func (t trouble) alone() bool {
	c, s := t.Candidate, t.Stable
	if s.Requests == 0 {
		return c.known() && c.fails() && t.soon()
	}
	return c.known() && s.known() && (c.failsMoreThan(s) || c.waitsLongerThan(s) && !t.soon())
}

// well tells whether nobody of the service suffers.
func (t trouble) well() bool {
	c, s := t.Candidate, t.Stable
	return c.known() && !c.fails() && (s.Requests == 0 || s.known() && !s.fails() && !c.waitsLongerThan(s))
}

// users writes how the users of both revisions fare.
func (t trouble) users() string {
	c, s := t.Candidate, t.Stable
	text := fmt.Sprintf("%s of %s requests failed at the candidate and %s of %s at stable",
		thousands(c.Failed), thousands(c.Requests), thousands(s.Failed), thousands(s.Requests))
	if c.Slow > 0 && s.Slow > 0 {
		text += fmt.Sprintf(", slow ones took %s and %s", c.Slow.Round(time.Millisecond), s.Slow.Round(time.Millisecond))
	}
	return text
}
