package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// scrapeTimeout bounds what a scrape waits for the cache, shortly after a start.
const scrapeTimeout = 5 * time.Second

// Collector tells Prometheus where every rollout stands. It reads that anew at
// each scrape: what was deleted leaves no series behind, and a restart loses
// nothing. Any replica can be asked about rollouts; only the leader writes.
type Collector struct {
	rollouts client.Reader
	clock    clock.PassiveClock
	refused  func() int64

	writes, decisions *prometheus.CounterVec
	ends              ends
}

// NewCollector makes a collector over the manager's cache. The clock is the one
// that the rollouts live by; refused counts the write firewall's refusals.
func NewCollector(rollouts client.Reader, now clock.PassiveClock, refused func() int64) *Collector {
	c := &Collector{
		rollouts: rollouts, clock: now, refused: refused,
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_writes_total",
			Help: "Writes to Cloud Run by this process, by what became of them.",
		}, []string{"result"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_decisions_total",
			Help: "Decisions that this process saved, by what they lead to: shift, back and keep send a split, hold waits for the world, ask for a person.",
		}, []string{"outcome"}),
		ends: newEnds(),
	}
	for _, outcome := range outcomes {
		c.decisions.WithLabelValues(outcome) // there from the start, so that the first one is a rise
	}
	return c
}

var firewallRefused = prometheus.NewDesc("sluice_firewall_refused_total",
	"Requests that the write firewall did not send. More than 0 is a mistake in Sluice.", nil, nil)

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, g := range gauges {
		ch <- g.desc
	}
	ch <- firewallRefused
	c.writes.Describe(ch)
	c.decisions.Describe(ch)
	for _, e := range c.ends.all() {
		e.Describe(ch)
	}
}

// Collect implements prometheus.Collector. When the cache cannot be read the
// scrape fails, which is what an alert on a silent target waits for.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	c.writes.Collect(ch)
	c.decisions.Collect(ch)
	for _, e := range c.ends.all() {
		e.Collect(ch)
	}
	ch <- prometheus.MustNewConstMetric(firewallRefused, prometheus.CounterValue, float64(c.refused()))

	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout) //nolint:forbidigo // Prometheus hands in none
	defer cancel()
	var list v1alpha1.CloudRunRolloutList
	// Nothing here changes what it reads, so nothing need be copied.
	if err := c.rollouts.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		ch <- prometheus.NewInvalidMetric(gauges[0].desc, fmt.Errorf("listing rollouts: %w", err))
		return
	}
	now := c.clock.Now()
	for i := range list.Items {
		ro := &list.Items[i]
		for _, g := range gauges {
			g.read(ro, now, func(value float64, labels ...string) {
				ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, value,
					append([]string{ro.Namespace, ro.Name}, labels...)...)
			})
		}
	}
}

// The outcomes of decisions.
const (
	outcomeShift = "shift" // the split of a step is sent
	outcomeBack  = "back"  // stable is sent everything
	outcomeKeep  = "keep"  // the split that serves is sent again: pinned, or with our claim
	outcomeMake  = "make"  // a template is sent
	outcomeHold  = "hold"  // it waits for the world
	outcomeAsk   = "ask"   // it waits for a person
	outcomeNone  = "none"  // nothing more than looking on
)

var outcomes = []string{outcomeShift, outcomeBack, outcomeKeep, outcomeMake, outcomeHold, outcomeAsk, outcomeNone}

// Decided counts a decision that was saved, and what ended with it: before is the
// status that it replaced. What changes nothing is not saved, and so not counted.
func (c *Collector) Decided(ro *v1alpha1.CloudRunRollout, before *v1alpha1.CloudRunRolloutStatus, d rollout.Decision) {
	c.decisions.WithLabelValues(outcomeOf(d)).Inc()
	c.ends.count(before, ro)
}

// outcomeOf is what a decision leads to, in a word.
func outcomeOf(d rollout.Decision) string {
	switch phase := d.Progress.Phase; {
	case d.Write != nil && phase == rollout.Shifting:
		return outcomeShift
	case d.Write != nil && phase == rollout.RollingBack:
		return outcomeBack
	case d.Write != nil:
		return outcomeKeep
	case d.Deploy != nil:
		return outcomeMake
	case phase == rollout.Held:
		return outcomeHold
	case phase == rollout.Paused || phase == rollout.AwaitingApproval:
		return outcomeAsk
	}
	return outcomeNone
}

// Count counts the writes that go through an actuator.
func (c *Collector) Count(inner Actuator) Actuator { return countedActuator{inner, c.writes} }

type countedActuator struct {
	inner  Actuator
	writes *prometheus.CounterVec
}

// SetTraffic implements Actuator.
func (a countedActuator) SetTraffic(ctx context.Context, ref rollout.ServiceRef, w rollout.Write) error {
	err := a.inner.SetTraffic(ctx, ref, w)
	a.writes.WithLabelValues(resultOf(err)).Inc()
	return err
}

// CountDeploys counts the templates that go through a deployer among the writes.
func (c *Collector) CountDeploys(inner Deployer) Deployer { return countedDeployer{inner, c.writes} }

type countedDeployer struct {
	inner  Deployer
	writes *prometheus.CounterVec
}

// SetTemplate implements Deployer.
func (a countedDeployer) SetTemplate(ctx context.Context, ref rollout.ServiceRef, d rollout.Deploy) error {
	err := a.inner.SetTemplate(ctx, ref, d)
	a.writes.WithLabelValues(resultOf(err)).Inc()
	return err
}

// resultOf is what became of a write, in one word.
func resultOf(err error) string {
	switch {
	case err == nil:
		return "accepted"
	case maybeWritten(err):
		return "unconfirmed"
	case errors.Is(err, cloudrun.ErrConflict), errors.Is(err, rollout.ErrLate):
		return "conflict"
	case errors.Is(err, cloudrun.ErrDenied):
		return "denied"
	case errors.Is(err, cloudrun.ErrThrottled):
		return "throttled"
	case errors.Is(err, cloudrun.ErrRefused):
		return "refused"
	default:
		return "failed"
	}
}
