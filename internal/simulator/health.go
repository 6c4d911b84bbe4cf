package simulator

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// Behaviour says how a revision starts and how it answers. It is written in the
// scenario here; physics may compute it from load later, through [mixture].
type Behaviour struct {
	Startup Startup `json:"startup,omitzero"`
	// Latency is how long a healthy request takes on average. Default 200ms.
	Latency Duration `json:"latency,omitempty"`
	// LatencySpread is how widely latencies scatter around it: the standard
	// deviation of their logarithm. 0.3 puts the 99th percentile at about twice the
	// mean, 1 at six times. Default 0: all are the same.
	LatencySpread float64 `json:"latencySpread,omitempty"`
	// Errors are the ways in which requests fail.
	Errors []ErrorRate `json:"errors,omitempty"`
	// Pending says when requests wait for an instance.
	Pending []Queue `json:"pending,omitempty"`
	// Calls are what every request calls, one after the other. They need a network.
	Calls []Outgoing `json:"calls,omitempty"`
	// Assets are the files that belong to the pages that it serves.
	Assets *Assets `json:"assets,omitempty"`
}

// Queue is a number of requests that wait for an instance. It is written down and
// does not follow from load.
type Queue struct {
	Requests int `json:"requests"`
	Circumstances
}

// Circumstances bound something to a part of a revision's life.
type Circumstances struct {
	// From and Until count from the revision's creation. Until 0 means for ever.
	From  Duration `json:"from,omitempty"`
	Until Duration `json:"until,omitempty"`
	// AbovePercent bounds it to times when the revision gets this much traffic or more.
	AbovePercent float64 `json:"abovePercent,omitempty"`
}

func (c Circumstances) hold(age time.Duration, percent float64) bool {
	return age >= time.Duration(c.From) && (c.Until == 0 || age < time.Duration(c.Until)) && percent >= c.AbovePercent
}

// Startup is what happens between creation and readiness.
type Startup struct {
	// ReadyAfter is how long the container takes to start. Default 4s.
	ReadyAfter Duration `json:"readyAfter,omitempty"`
	// Fails, if set, is why it does not start; it is known after ReadyAfter.
	Fails *StartupFailure `json:"fails,omitempty"`
	// Calls are connections that every instance opens when it starts.
	Calls []StartupCall `json:"calls,omitempty"`
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
	if b.LatencySpread < 0 || b.LatencySpread > 2 {
		return fmt.Errorf("latencySpread %v is not between 0 and 2", b.LatencySpread)
	}
	for i, q := range b.Pending {
		if q.Requests < 0 {
			return fmt.Errorf("pending[%d]: requests is negative", i)
		}
	}
	return b.checkCalls()
}

func (b Behaviour) checkCalls() error {
	if err := checkCalls(b.Calls); err != nil {
		return err
	}
	for i, c := range b.Startup.Calls {
		if err := c.check(); err != nil {
			return fmt.Errorf("startup: calls[%d]: %w", i, err)
		}
		if c.Connections < 0 || c.To == toLoopback {
			return fmt.Errorf("startup: calls[%d]: connections are not negative and lead elsewhere", i)
		}
	}
	if b.Assets != nil && b.Assets.PerPage < 0 {
		return errors.New("assets: perPage is negative")
	}
	return nil
}

// An outcome is one way for a request to end.
type outcome struct {
	share   float64 // of the revision's requests
	code    int
	latency time.Duration // on average
	spread  float64       // of the logarithm of the latency
}

// measure takes the time of each of the requests that end so. Latencies are
// spread log-normally, which is chosen, with the outcome's latency as their mean.
func (e ending) measure(into *series.Distribution, stopwatch dice) {
	mean := float64(e.latency) / float64(time.Millisecond)
	if e.spread == 0 {
		into.Add(mean, int64(e.count))
		return
	}
	for range e.count {
		into.Add(mean*math.Exp(e.spread*stopwatch.NormFloat64()-e.spread*e.spread/2), 1)
	}
}

// A mixture is how a revision fares in one second: what becomes of its
// requests. The last outcome is the healthy one.
type mixture []outcome

// at tells how a revision of the given age fares that gets a share of the
// traffic. The result is appended to buf, which spares the garbage.
func (b Behaviour) at(age time.Duration, percent float64, buf mixture) mixture {
	healthy := outcome{share: 1, code: 200, latency: b.latency(), spread: b.LatencySpread}
	for _, e := range b.Errors {
		if !e.applies(age, percent) {
			continue
		}
		o := outcome{share: min(e.Percent/100, healthy.share), code: e.Code, latency: time.Duration(e.Latency)}
		if o.code == 0 {
			o.code = 500
		}
		if o.latency == 0 {
			o.latency, o.spread = healthy.latency, healthy.spread
		}
		healthy.share -= o.share
		buf = append(buf, o)
	}
	return append(buf, healthy)
}

func (e ErrorRate) applies(age time.Duration, percent float64) bool {
	return Circumstances{e.From, e.Until, e.AbovePercent}.hold(age, percent)
}

// waiting is how many requests wait for an instance.
func (b Behaviour) waiting(age time.Duration, percent float64) int {
	sum := 0
	for _, q := range b.Pending {
		if q.hold(age, percent) {
			sum += q.Requests
		}
	}
	return sum
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
