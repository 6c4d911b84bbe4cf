package gateway

import (
	"errors"
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/google"
)

const (
	// DefaultCallsPerMinute is a quarter of what a project has for everybody who
	// reads in it: 1,500 a minute (docs compute/api-quota). Of Serverless VPC Access,
	// whose quota is not documented there, a connector takes one an hour.
	DefaultCallsPerMinute = 375

	// wait is how long a project is left alone that is over quota and does not say
	// how long: the quota is counted by the minute. longestWait is the longest that
	// is believed when it says.
	wait        = 30 * time.Second
	longestWait = 10 * time.Minute
)

// The APIs, each with a quota of its own, by the names that people know.
const (
	computeAPI   = "Compute"
	vpcAccessAPI = "Serverless VPC Access"
)

// account is what a call is counted for: an API and a project.
type account struct{ api, project string }

// quotas are the calls for each account. Of a failure its words are remembered.
type quotas = google.Buckets[account, string]

func limits(perMinute int) google.Limits {
	return google.Limits{PerMinute: perMinute, FirstWait: wait, LongestWait: wait, LongestTold: longestWait}
}

// quota is the bucket of an account; nil, which lets all pass, without a clock.
func (c *Client) quota(a account) *google.Bucket[string] {
	if c.clock == nil {
		return nil
	}
	return c.quotas.Of(a)
}

// withheld is the failure of a call that was not made.
func (c *Client) withheld(op, api string, no *google.Refusal[string]) *CallError {
	if no.Told {
		return &CallError{Op: op, Kind: google.ErrThrottled, RetryAfter: no.Wait, Detail: google.NotBefore(no.Reason, no.Until)}
	}
	return &CallError{Op: op, Kind: google.ErrThrottled, Detail: fmt.Sprintf(
		"Sluice's own limit for a project, %d calls of %s a minute, is used up", c.quotas.Limits.PerMinute, api)}
}

// settle notes that a call failed.
func (c *Client) settle(q *google.Bucket[string], failure *CallError) {
	if q != nil && errors.Is(failure, google.ErrThrottled) {
		q.Shut(c.clock.Now, failure.RetryAfter, failure.Detail)
	}
}
