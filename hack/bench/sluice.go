package main

import (
	"strconv"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	stable    = "web-1"
	candidate = "web-2"
	// soon is how long the core waits while a write takes effect. Longer waits
	// end at the next whole minute: nothing arrives in between.
	soon = 5 * time.Second
)

// ref names the service in what is asked and answered.
var ref = rollout.ServiceRef{Project: "acme", Location: "asia-northeast1", Name: "web"}

// step is a weight, and the minutes it is held.
type step struct {
	weight int64
	bake   time.Duration
}

// steps is the default plan.
var steps = []step{{5, 10 * time.Minute}, {25, 10 * time.Minute}, {50, 10 * time.Minute}, {100, 20 * time.Minute}}

// limit is the default limit of the share of errors.
const limit = 0.01

// sluice is the product's own core as a judge: [rollout.Decide] with the real
// rule, in a Cloud Run that does at once what it is told.
type sluice struct {
	rule  analysis.Rule
	every int // minutes from look to look; 1 in the product
}

// single is a rule that judges each look by itself. The real one makes up for
// looks that were left out.
type single struct{ analysis.Rule }

// Judge judges the newest window and the step, and nothing before.
func (r single) Judge(s analysis.Scope, given analysis.Answers) analysis.Verdict {
	s.SeenThrough, s.EarlierSince = s.Now, time.Time{}
	return r.Rule.Judge(s, given)
}

func (s sluice) plan() rollout.Plan {
	plan := rollout.Plan{
		Service: ref, StepDeadline: time.Hour, Window: 5 * time.Minute,
		Guards: []rollout.Guard{{Name: "errors", Rule: s.rule, OnBreach: rollout.Rollback, Mode: rollout.Enforce}},
		NoData: rollout.NoDataPolicy{After: 30 * time.Minute, Action: rollout.Pause},
	}
	for _, st := range steps {
		plan.Steps = append(plan.Steps, rollout.Step{Weight: st.weight, Bake: st.bake})
	}
	return plan
}

// cloud is the Cloud Run of one trial.
type cloud struct {
	svc       rollout.Service
	revisions map[string]rollout.Revision
}

// newCloud is a service that stable serves, pinned and settled.
func newCloud(w *world) *cloud {
	c := &cloud{revisions: map[string]rollout.Revision{}, svc: rollout.Service{
		Presence: rollout.Found, UID: "uid", Generation: 1, ObservedGeneration: 1, ETag: "1",
		Desired: []rollout.Entry{{Revision: stable, Percent: 100}},
	}}
	c.svc.Effective = c.svc.Desired
	c.deploy(stable, w.now.Add(-48*time.Hour))
	return c
}

// deploy adds a revision that is ready.
func (c *cloud) deploy(name string, at time.Time) {
	c.svc.LatestReady, c.svc.LatestCreated = name, name
	c.revisions[name] = rollout.Revision{
		Presence: rollout.Found, Name: name, CreatedAt: at, Readiness: rollout.Ready,
		Egress: rollout.EgressNone, Timeout: 5 * time.Minute,
	}
}

// apply takes a write, and serves it.
func (c *cloud) apply(write *rollout.Write, w *world) {
	c.svc.Generation++
	c.svc.ObservedGeneration, c.svc.ETag = c.svc.Generation, strconv.FormatInt(c.svc.Generation, 10)
	c.svc.Desired = write.Targets()
	c.svc.Effective = c.svc.Desired
	weight := int64(0)
	for _, e := range c.svc.Effective {
		if e.Revision == candidate {
			weight += e.Percent
		}
	}
	w.shift(weight)
}

// judge plays one rollout to its end.
func (s sluice) judge(w *world) result {
	c, plan := newCloud(w), s.plan()
	var progress rollout.Progress
	for {
		in := rollout.Input{Plan: plan, Progress: progress, Service: c.svc, Revisions: c.revisions, Now: w.now}
		in.Answers = answers(w, rollout.Questions(in))
		d := rollout.Decide(in)
		progress = d.Progress
		if o, over := ending(progress); over {
			return w.ended(o)
		}
		if progress.Phase == rollout.Idle && progress.Stable != "" {
			c.deploy(candidate, w.now)
		}
		if d.Write != nil {
			c.apply(d.Write, w)
		}
		w.advance(s.next(w.now, d.LookAt))
	}
}

// next is when to look again.
func (s sluice) next(now, lookAt time.Time) time.Time {
	if lookAt.Sub(now) <= soon {
		return lookAt
	}
	return now.Truncate(time.Minute).Add(time.Duration(s.every) * time.Minute)
}

// ending tells how a rollout ended, if it has.
func ending(p rollout.Progress) (outcome, bool) {
	switch p.Phase { //nolint:exhaustive // the others go on
	case rollout.Completed:
		return promoted, true
	case rollout.RollingBack, rollout.RolledBack:
		return rolledBack, true
	case rollout.Paused:
		return held, true
	}
	return held, false
}

// answers tells of each series what Cloud Monitoring would.
func answers(w *world, questions []analysis.Question) analysis.Answers {
	given := analysis.Answers{}
	for _, q := range questions {
		lag := requestLag
		if q.Metric == analysis.Instances {
			lag = instanceLag
		}
		through := w.now.Add(-lag).Truncate(time.Minute)
		until := through
		if q.Until.Before(until) {
			until = q.Until
		}
		minutes := w.arrived(q.After, until, lag)
		points := make([]analysis.Point, 0, 2*len(minutes))
		for _, m := range minutes {
			points = m.report(points, q.Series)
		}
		given[q.Series] = analysis.Answer{Through: through, Points: points}
	}
	return given
}

// report adds a minute's points of one series. A class without a request has none.
func (m minute) report(points []analysis.Point, of analysis.Series) []analysis.Point {
	served := m.stable
	switch {
	case of.Metric == analysis.Instances && !m.instance:
		return points
	case of.Metric == analysis.Instances:
		return append(points, analysis.Point{End: m.end, Value: 1})
	case of.Source.Revision == candidate:
		served = m.candidate
	}
	if served.good > 0 {
		points = append(points, analysis.Point{End: m.end, Label: "2xx", Value: served.good})
	}
	if served.bad > 0 {
		points = append(points, analysis.Point{End: m.end, Label: "5xx", Value: served.bad})
	}
	return points
}
