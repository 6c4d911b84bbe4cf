package soak

import (
	"context"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/kcc"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/configconnector"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/objectplane"
)

// The calls that a controller makes where Config Connector keeps its service.
const (
	getRunService = "get RunService"
	getSettings   = "get settings of Config Connector"
	applyTraffic  = "apply spec.traffic"
)

const (
	// hesitation is how long Config Connector takes from one stage to the next.
	hesitation = time.Second
	// inGit is who applies what Git says.
	inGit = "git"
)

// kept is a service that Config Connector keeps as a RunService says, and Config
// Connector itself: it looks when the RunService has changed and when it looks for
// drift, and goes on one stage at a time, so that things happen between them.
type kept struct {
	stage     *stage
	server    *objectplane.Server
	connector *configconnector.Connector
	eyes      sight
	next      time.Time // when Config Connector acts next; zero for not before something changes
	busy      time.Time // until when it does something else
	done      bool      // it says that it is through
	turned    time.Time // when it last said so, or ceased to
}

// keep puts the service into Config Connector's hands, if a script wants that.
func (s *stage) keep() error {
	if !s.script.Setting.Kept {
		return nil
	}
	k := &kept{stage: s, server: objectplane.New(ticking{s, new(time.Duration)})}
	k.connector, k.eyes = configconnector.New(k.server.As(""), configconnector.In(s.world)), newSight(k)
	s.kept = k
	k.server.Before, k.server.After = k.before, k.after
	k.apply(inGit, k.template(Healthy, first))
	for range 10 {
		if _, err := k.connector.Run(s.ctx, key); err != nil {
			return err
		}
		s.world.Advance(10 * time.Second)
	}
	k.wake()
	return s.err
}

// ports are what a controller may touch then: the RunService in the place of the service.
func (k *kept) ports(c *cloud) controllers.Cloud {
	target := kcc.New(kcc.Options{
		API: k.server.As(c.process.name), Live: c, Clock: ticking{k.stage, &c.process.skew}, Direct: true,
	}).Target(key.Namespace, key.Name)
	return controllers.Cloud{Metrics: c, Outlets: c}.Through(target, target, target)
}

// template is what Git says of the service: a template whose revision has a name.
func (k *kept) template(image, revision string) map[string]any {
	return map[string]any{
		"location": region, "projectRef": map[string]any{"external": project}, "resourceID": service,
		"template": map[string]any{"revision": revision, "containers": []any{map[string]any{"image": image}}},
	}
}

// apply applies a spec of the RunService, over whoever else owns what is in it.
func (k *kept) apply(manager string, spec map[string]any) {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "run.cnrm.cloud.google.com/v1beta1", "kind": "RunService", "spec": spec}}
	_, err := k.server.As("").Resource(configconnector.RunServices).Namespace(key.Namespace).Apply(
		k.stage.ctx, key.Name, o, metav1.ApplyOptions{FieldManager: manager, Force: true})
	k.stage.fail(err)
	k.stage.drain()
}

// before stands before every call of the Kubernetes API that is about RunServices.
func (k *kept) before(c objectplane.Call) error {
	p := k.stage.processes[c.By]
	if p == nil {
		return nil
	}
	name := k.name(c)
	if name == applyTraffic {
		k.eyes.sending(p, c.Object)
	}
	if p.meet(name, before); p.expired() {
		return context.DeadlineExceeded
	}
	k.eyes.arriving(p)
	return p.refusal(name)
}

// after stands behind it.
func (k *kept) after(c objectplane.Call, err error) error {
	k.stage.drain()
	if done := !k.stage.tries(); done != k.done {
		k.done, k.turned = done, k.stage.now()
	}
	p, name := k.stage.processes[c.By], k.name(c)
	if p != nil {
		k.eyes.told(p, name, err)
	}
	if c.Verb != objectplane.Get && err == nil {
		k.eyes.asks(invariants.Desired{At: invariants.At(k.stage.now()), Ours: p != nil && !k.eyes.blind[p.name]})
		k.wake()
	}
	if p == nil {
		return nil
	}
	p.meet(name, after)
	return p.lost(name)
}

// name is what a script calls a call.
func (k *kept) name(c objectplane.Call) string {
	switch {
	case c.Resource != configconnector.RunServices.Resource:
		return getSettings
	case c.Verb == objectplane.Get:
		return getRunService
	}
	return applyTraffic
}

// wake lets Config Connector act soon.
func (k *kept) wake() { k.plan(k.stage.now().Add(hesitation)) }

// plan lets Config Connector act at a time, if it does not act before.
func (k *kept) plan(at time.Time) {
	if !k.next.IsZero() && !k.next.After(at) {
		return
	}
	k.next = at
	k.stage.queue.add(at, func() {
		if k.next.Equal(at) {
			k.next = time.Time{}
			k.act()
		}
	})
}

// act is one stage of Config Connector.
func (k *kept) act() {
	if k.busy.After(k.stage.now()) {
		k.plan(k.busy)
		return
	}
	stage, err := k.connector.Step(k.stage.ctx, key)
	k.stage.fail(err)
	k.stage.drain()
	switch due := k.connector.Due(key); {
	case stage != configconnector.Idle:
		k.wake()
	case !due.IsZero():
		k.plan(later(due, k.stage.now().Add(hesitation)))
	}
}

// occupy keeps Config Connector busy with something else for a while.
func (k *kept) occupy(d time.Duration) { k.busy = k.stage.now().Add(d) }

// calm lets Config Connector go on, and everybody let go of spec.traffic.
func (k *kept) calm() {
	k.busy = time.Time{}
	k.apply(alice, map[string]any{})
	k.wake()
}

// restore puts the RunService back to what it was, which a backup of etcd has in it too.
// Config Connector carries out what it says then.
func (k *kept) restore(at time.Time) {
	k.server.Restore(at)
	k.eyes.rewound()
	k.done, k.turned = !k.stage.tries(), k.stage.now()
	k.wake()
}

// takeTraffic applies a split to the RunService in a person's name, who owns it for a
// while. What cannot be written is not.
func (p *person) takeTraffic(list []simulator.TrafficTarget, d time.Duration) {
	if list == nil {
		return
	}
	var entries []any
	for _, t := range list {
		entry := map[string]any{"type": simulator.AllocateLatest, "percent": int64(t.Percent)}
		if t.Type != simulator.AllocateLatest {
			entry["type"], entry["revision"] = simulator.AllocateRevision, t.Revision
		}
		entries = append(entries, entry)
	}
	k := p.stage.kept
	k.apply(alice, map[string]any{"traffic": entries})
	p.stage.in(d, func() { k.apply(alice, map[string]any{}) })
}

// object is the RunService as it stands, read only.
func (k *kept) object() *unstructured.Unstructured {
	return k.server.Object(configconnector.RunServices, key)
}

// traffic is spec.traffic as it stands.
func (k *kept) traffic() []simulator.TrafficTarget { return trafficIn(k.object()) }

// owners are the field managers that own spec.traffic.
func (k *kept) owners() []string { return ownersIn(k.object()) }

// trafficIn is the spec.traffic of a RunService.
func trafficIn(o *unstructured.Unstructured) []simulator.TrafficTarget {
	list, _, _ := unstructured.NestedSlice(o.Object, "spec", "traffic")
	var targets []simulator.TrafficTarget
	for _, one := range list {
		entry, _ := one.(map[string]any)
		percent, _ := entry["percent"].(int64)
		t := simulator.TrafficTarget{Percent: int(percent)}
		t.Type, _ = entry["type"].(string)
		t.Revision, _ = entry["revision"].(string)
		t.Tag, _ = entry["tag"].(string)
		targets = append(targets, t)
	}
	return targets
}

// ownersIn are the managers of a RunService's spec.traffic, in order.
func ownersIn(o *unstructured.Unstructured) []string {
	var owners []string
	for _, e := range o.GetManagedFields() {
		if e.FieldsV1 != nil && strings.Contains(string(e.FieldsV1.GetRawBytes()), `"f:traffic"`) {
			owners = append(owners, e.Manager)
		}
	}
	slices.Sort(owners)
	return owners
}
