package simulator

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Behaviour says how a revision starts and how it answers. It is written in the
// scenario here; physics may compute it from load later, through [mixture].
type Behaviour struct {
	Startup Startup `json:"startup,omitzero"`
	// Latency is how long a healthy request takes. Default 200ms.
	Latency Duration `json:"latency,omitempty"`
	// Errors are the ways in which requests fail.
	Errors []ErrorRate `json:"errors,omitempty"`
}

// Startup is what happens between creation and readiness.
type Startup struct {
	// ReadyAfter is how long the container takes to start. Default 4s.
	ReadyAfter Duration `json:"readyAfter,omitempty"`
	// Fails, if set, is why it does not start; it is known after ReadyAfter.
	Fails *StartupFailure `json:"fails,omitempty"`
}

// StartupFailure is why a revision never became ready.
type StartupFailure struct {
	// Reason is a revision reason of the API. Default HEALTH_CHECK_CONTAINER_ERROR.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// ErrorRate is a share of a revision's requests that fails in one way.
type ErrorRate struct {
	Percent float64 `json:"percent"`
	// Code is the response code. Default 500.
	Code int `json:"code,omitempty"`
	// Latency is how long such a request hangs before it ends. Default: as long
	// as a healthy one.
	Latency Duration `json:"latency,omitempty"`
	// From and Until bound it, counted from the revision's creation.
	From  Duration `json:"from,omitempty"`
	Until Duration `json:"until,omitempty"`
	// AbovePercent bounds it to times when the revision gets this much traffic or more.
	AbovePercent float64 `json:"abovePercent,omitempty"`
}

const (
	defaultLatency = 200 * time.Millisecond
	defaultStartup = 4 * time.Second

	containerFailed = "The user-provided container failed to start and listen on the port defined provided by the " +
		"PORT=8080 environment variable within the allocated timeout. This can happen when the container port is " +
		"misconfigured or if the timeout is too short. The health check timeout can be extended. Logs for this " +
		"revision might contain more information."
)

func (b Behaviour) check() error {
	sum := 0.0
	for i, e := range b.Errors {
		if e.Percent < 0 || e.Percent > 100 {
			return fmt.Errorf("errors[%d]: percent %v is not between 0 and 100", i, e.Percent)
		}
		if e.Code != 0 && (e.Code < 100 || e.Code > 599) {
			return fmt.Errorf("errors[%d]: code %d is no HTTP status", i, e.Code)
		}
		sum += e.Percent
	}
	if sum > 100 && len(b.Errors) == 1 {
		return errors.New("errors: more than 100 percent")
	}
	return nil
}

// An outcome is one way for a request to end.
type outcome struct {
	share   float64 // of the revision's requests
	code    int
	latency time.Duration
}

// A mixture is how a revision fares in one second: what becomes of its
// requests. The last outcome is the healthy one.
type mixture []outcome

// at tells how a revision of the given age fares that gets a share of the
// traffic. The result is appended to buf, which spares the garbage.
func (b Behaviour) at(age time.Duration, percent float64, buf mixture) mixture {
	healthy := outcome{share: 1, code: 200, latency: b.latency()}
	for _, e := range b.Errors {
		if !e.applies(age, percent) {
			continue
		}
		o := outcome{share: min(e.Percent/100, healthy.share), code: e.Code, latency: time.Duration(e.Latency)}
		if o.code == 0 {
			o.code = 500
		}
		if o.latency == 0 {
			o.latency = healthy.latency
		}
		healthy.share -= o.share
		buf = append(buf, o)
	}
	return append(buf, healthy)
}

func (e ErrorRate) applies(age time.Duration, percent float64) bool {
	return age >= time.Duration(e.From) && (e.Until == 0 || age < time.Duration(e.Until)) && percent >= e.AbovePercent
}

func (b Behaviour) latency() time.Duration {
	if b.Latency == 0 {
		return defaultLatency
	}
	return time.Duration(b.Latency)
}

func (b Behaviour) readyAfter() time.Duration {
	if b.Startup.ReadyAfter == 0 {
		return defaultStartup
	}
	return time.Duration(b.Startup.ReadyAfter)
}

// busy is Little's law: how many requests are in flight on average.
func (c mixture) busy(perSecond float64) float64 {
	var inFlight float64
	for _, o := range c {
		inFlight += perSecond * o.share * o.latency.Seconds()
	}
	return inFlight
}

// instancesFor is how many instances the autoscaler runs for requests in
// flight: it aims at 60 % of the concurrency limit.
func instancesFor(inFlight float64, concurrency int) int {
	if inFlight <= 0 {
		return 0
	}
	return max(1, int(math.Ceil(inFlight/(0.6*float64(max(1, concurrency))))))
}
