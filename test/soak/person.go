package soak

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// person is everybody who is not a controller: the author of the spec, whoever
// deploys and edits traffic, and the one who is on call.
type person struct {
	stage    *stage
	deployed int // revisions so far, beside the first
	asked    int
	rescued  int            // how often it took more than an answer
	released int            // of the pipeline's images
	answered map[string]int // how often each state was answered
	answers  int            // to the present one, with this one
}

// apply creates the object.
func (p *person) apply() error {
	err := p.client().Create(p.stage.ctx, p.stage.script.Setting.object())
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	p.stage.drain()
	return err
}

func (p *person) client() client.Client { return p.stage.plane.Client() }

// edit changes the object, if it is there.
func (p *person) edit(change func(*v1alpha1.CloudRunRollout)) {
	if p.stage.record.object == nil {
		return
	}
	ro := p.stage.record.object.DeepCopy()
	change(ro)
	p.stage.fail(p.client().Update(p.stage.ctx, ro))
	p.stage.drain()
}

// unready takes a revision's readiness away.
func (p *person) unready(revision string) {
	_ = p.stage.world.FailRevision(fullName+"/revisions/"+revision, simulator.StartupFailure{}) // it may be gone
}

// wipe takes the status away.
func (p *person) wipe() {
	if p.stage.record.object == nil {
		return
	}
	ro := p.stage.record.object.DeepCopy()
	ro.Status = v1alpha1.CloudRunRolloutStatus{}
	p.stage.fail(p.client().Status().Update(p.stage.ctx, ro))
	p.stage.drain()
}

// shut creates a freeze that begins now, and is over when the trouble is, if there is any.
func (p *person) shut(d time.Duration) {
	s := p.stage
	end := s.now().Add(d)
	if s.script.Lasts > 0 && end.After(s.troubled) {
		end = s.troubled
	}
	freeze := v1alpha1.RolloutFreeze{Spec: v1alpha1.RolloutFreezeSpec{
		Start: metav1.NewTime(s.now()), End: metav1.NewTime(end), Reason: "the story wants it",
	}}
	freeze.Name = fmt.Sprintf("freeze-%d", len(s.freezes)+1)
	s.freezes = append(s.freezes, freeze)
	s.record.trace = append(s.record.trace, invariants.Frozen{At: invariants.At(s.now()), Until: end})
}

// moveIn puts the claim of another cluster's object in the place of ours.
func (p *person) moveIn() {
	s := p.stage
	api := s.world.As(simulator.Caller{Identity: "sluice@elsewhere.iam.gserviceaccount.com"})
	found, err := api.GetService(fullName)
	s.fail(err)
	claim := map[string]any{}
	s.fail(json.Unmarshal([]byte(found.Annotations[cloudrun.ClaimKey]), &claim))
	claim["cluster"], claim["uid"] = "another-cluster", "another-object"
	text, err := json.Marshal(claim)
	s.fail(err)
	found.Annotations[cloudrun.ClaimKey] = string(text)
	_, err = api.PatchService(simulator.PatchRequest{Name: fullName, Service: found, UpdateMask: []string{"annotations"}})
	s.fail(err)
	s.drain()
}

// ask stores a request about what is going on now, or about another attempt.
func (p *person) ask(verb, mode string, attempt int64) {
	p.asked++
	p.edit(func(ro *v1alpha1.CloudRunRollout) {
		step := 0
		if a := ro.Status.Attempt; a != nil && attempt == 0 {
			attempt, step = a.ID, int(a.Step)
		}
		if ro.Annotations == nil {
			ro.Annotations = map[string]string{}
		}
		ro.Annotations[v1alpha1.RequestID] = fmt.Sprintf("request-%d", p.asked)
		ro.Annotations[v1alpha1.RequestVerb] = verb
		ro.Annotations[v1alpha1.RequestBy] = alice
		delete(ro.Annotations, v1alpha1.RequestMode)
		if mode != "" {
			ro.Annotations[v1alpha1.RequestMode] = mode
		}
		delete(ro.Annotations, v1alpha1.RequestAttempt)
		delete(ro.Annotations, v1alpha1.RequestStep)
		if attempt > 0 {
			ro.Annotations[v1alpha1.RequestAttempt] = strconv.FormatInt(attempt, 10)
			ro.Annotations[v1alpha1.RequestStep] = strconv.Itoa(step)
		}
	})
}

// deploy deploys an image as the next revision.
func (p *person) deploy(image string) {
	p.deployed++
	name := fmt.Sprintf("web-%d", p.deployed+1)
	if k := p.stage.kept; k != nil {
		k.apply(inGit, k.template(image, name))
	} else {
		_, err := p.stage.world.Deploy(fullName, simulator.Deployment{Image: image, Revision: name, By: "ci@acme-prod.iam.gserviceaccount.com"})
		p.stage.fail(err)
	}
	p.stage.record.restedAt = p.stage.now() // nobody has looked at it yet
	p.stage.drain()
}

// revision is the name of a revision that is meant by its part.
func (p *person) revision(part string) string {
	var status v1alpha1.CloudRunRolloutStatus
	if p.stage.record.object != nil {
		status = p.stage.record.object.Status
	}
	switch a := status.Attempt; {
	case part == "newest":
		return fmt.Sprintf("web-%d", p.deployed+1)
	case part == "candidate" && a != nil:
		return a.Candidate
	case part == "stable" && a != nil && a.Baseline != nil:
		return a.Baseline.Revision
	case part == "first":
		return first
	}
	return ""
}

// splits are those that people set.
var splits = map[string]func(p *person) []simulator.TrafficTarget{
	"half and half": func(p *person) []simulator.TrafficTarget {
		return p.split(p.revision("stable"), 50, p.revision("newest"), 50)
	},
	"stable alone":    func(p *person) []simulator.TrafficTarget { return p.split(p.revision("stable"), 100, "", 0) },
	"candidate alone": func(p *person) []simulator.TrafficTarget { return p.split(p.revision("candidate"), 100, "", 0) },
	"the first alone": func(p *person) []simulator.TrafficTarget { return p.split(first, 100, "", 0) },
	"LATEST": func(*person) []simulator.TrafficTarget {
		return []simulator.TrafficTarget{{Type: simulator.AllocateLatest, Percent: 100}}
	},
	"most to stable": func(p *person) []simulator.TrafficTarget {
		return p.split(p.revision("stable"), 97, p.revision("newest"), 3)
	},
}

// split is a list of one or two revisions.
func (p *person) split(one string, percent int, other string, rest int) []simulator.TrafficTarget {
	if one == "" || one == other {
		return nil
	}
	list := []simulator.TrafficTarget{{Revision: one, Percent: percent}}
	if other != "" {
		list = append(list, simulator.TrafficTarget{Revision: other, Percent: rest})
	}
	return list
}

// editTraffic sets a split. What cannot be set is not.
func (p *person) editTraffic(word string) {
	list := splits[word](p)
	if list == nil {
		return
	}
	_ = p.stage.world.EditTraffic(fullName, list, alice) // a revision may be gone
	p.stage.drain()
}

// tag puts a tag on a revision, beside the split that there is.
func (p *person) tag(name, revision string) {
	state, err := p.stage.world.State(fullName)
	p.stage.fail(err)
	list := slices.DeleteFunc(slices.Clone(state.Traffic), func(t simulator.TrafficTarget) bool { return t.Tag == name && t.Percent == 0 })
	for i := range list {
		if list[i].Tag == name {
			list[i].Tag = ""
		}
	}
	list = append(list, simulator.TrafficTarget{Revision: revision, Tag: name})
	_ = p.stage.world.EditTraffic(fullName, list, alice)
	p.stage.drain()
}
