package cloudrun

import (
	"net/http"
	"time"

	"google.golang.org/api/googleapi"
)

// now is the time of the clock that is compared with the API's, if there is one.
func (c *Client) now() time.Time {
	if c.clock == nil {
		return time.Time{}
	}
	return c.clock.Now()
}

// apart is how far that clock is ahead of the API's, by the answer to a call that
// was made when it showed sent.
func (c *Client) apart(sent time.Time, answer googleapi.ServerResponse) time.Duration {
	if c.clock == nil {
		return 0
	}
	return skew(sent, c.clock.Now(), answer.Header.Get("Date"))
}

// skew is how far a clock that showed sent before a call and received after it
// is ahead of the one that dated the answer, negative where it is behind. The
// answer was written between the two, and its Date is cut to whole seconds (RFC
// 9110, 6.6.1): so the other clock showed at least date and less than a second
// more. Where that can lie between sent and received the clocks may agree, and
// the skew is 0, as it is for an answer without a Date. Otherwise it is the
// smallest that explains the answer, however long that took.
func skew(sent, received time.Time, date string) time.Duration {
	dated, err := http.ParseTime(date)
	if err != nil {
		return 0
	}
	return max(sent.Sub(dated.Add(time.Second)), 0) + min(received.Sub(dated), 0)
}
