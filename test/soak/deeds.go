package soak

import (
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// cue is an act that waits.
type cue struct {
	Act
	armed  bool // its time has come, and it waits for its call
	gone   bool
	played time.Time
}

// rehearse gives every act its cue.
func (s *stage) rehearse() {
	for _, act := range s.script.Acts {
		c := &cue{Act: act}
		s.acts = append(s.acts, c)
		if act.Phase == "" {
			s.in(act.After, func() { s.arm(c) })
		}
	}
}

// entered arms what waits for a phase.
func (s *stage) entered(phase string) {
	for _, c := range s.acts {
		if c.Phase == phase && !c.gone && phase != "" {
			c.Phase = "" // the first time only
			s.in(c.After, func() { s.arm(c) })
		}
	}
}

// arm plays an act, or lets it wait for its call.
func (s *stage) arm(c *cue) {
	if s.quiet || c.gone {
		return
	}
	if c.Call != "" {
		c.armed = true
		return
	}
	s.perform(c, s.replicas[c.Who])
}

// reached plays what waits for a call.
func (s *stage) reached(p *process, call string, at side) {
	for _, c := range s.acts {
		if c.armed && !c.gone && !s.quiet && c.Call == call && c.Side == at {
			s.perform(c, p)
		}
	}
}

// perform plays an act. By is the process that it is about, if it is about one.
func (s *stage) perform(c *cue, by *process) {
	c.gone, c.played = true, s.now()
	s.count.faults[c.kind()]++
	if !s.performed(c.Act, by) {
		s.people(c.Act)
	}
	s.drain()
}

// performed plays the deeds of bad luck.
func (s *stage) performed(a Act, by *process) bool {
	switch a.Deed { //nolint:exhaustive // the others are people's
	case Break:
		s.fail(s.world.Inject(a.Fault))
	case Refuse, Swallow:
		s.refusals = append(s.refusals, refusal{a.Deed, a.Word, a.Count})
	case GoBack:
		s.goBack(a.Count)
	case Kill:
		if by != nil {
			by.die()
			s.in(a.For, func() { s.start(by.place) })
		}
	case Stop:
		if by != nil {
			by.stop(a.For)
		}
	case Exchange:
		s.exchange()
	case Occupy:
		s.kept.occupy(a.For)
	case Usurp:
		s.usurp(a.Who, a.For)
	case Freeze, Rewind, Relist:
		if by != nil {
			by.disturb(a)
		}
	default:
		return false
	}
	return true
}

// people plays the deeds of people.
func (s *stage) people(a Act) {
	p := &s.person
	switch a.Deed { //nolint:exhaustive // the others are played already
	case Deploy:
		p.deploy(a.Word)
	case Push:
		p.push(a.Word, "edited")
	case EditTraffic:
		p.editTraffic(a.Word)
	case TakeTraffic:
		p.takeTraffic(splits[a.Word](p), a.For)
	case SetTag:
		p.tag(a.Word, first)
	case Lose:
		_ = s.world.LoseRevision(fullName + "/revisions/" + p.revision(a.Word)) // it may be gone already
	case Fail:
		p.unready(p.revision(a.Word))
	case Ask:
		p.ask(a.Word, a.Mode, int64(a.Count))
	case Wipe:
		p.wipe()
	case Remove:
		p.remove(a.For)
	case Shut:
		p.shut(a.For)
	case MoveIn:
		p.moveIn()
	default:
		p.edit(func(ro *v1alpha1.CloudRunRollout) { p.respec(ro, a) })
	}
}

// respec are the deeds that edit the object.
func (p *person) respec(ro *v1alpha1.CloudRunRollout, a Act) {
	switch a.Deed { //nolint:exhaustive // the others are played already
	case Pause, Unpause:
		ro.Spec.Paused = a.Deed == Pause
	case Respec:
		a.Spec.onto(&ro.Spec)
	case NameOne:
		ro.Spec.Template = nil // the two exclude each other
		ro.Spec.CandidateRevision = p.revision(a.Word)
	case NameStable:
		ro.Spec.StableRevision = p.revision(a.Word)
	case Annotate:
		if ro.Annotations == nil {
			ro.Annotations = map[string]string{}
		}
		ro.Annotations["example.com/touched"] = p.stage.now().Format(time.RFC3339)
	}
}

// remove deletes the object, and applies it again.
func (p *person) remove(again time.Duration) {
	if p.stage.record.object == nil {
		return
	}
	err := p.client().Delete(p.stage.ctx, p.stage.record.object.DeepCopy())
	p.stage.fail(err)
	p.stage.drain()
	if again > 0 {
		p.stage.in(again, p.reapply)
	}
}

// reapply applies the object again as soon as the former one is gone.
func (p *person) reapply() {
	if o := p.stage.record.object; o != nil && !o.DeletionTimestamp.IsZero() {
		p.stage.in(time.Minute, p.reapply)
		return
	}
	p.stage.fail(p.apply())
}

// goBack puts etcd back into its past.
func (s *stage) goBack(changes int) {
	log := s.plane.Log()
	at := max(0, len(log)-1-changes)
	then := log[at]
	s.plane.Restore(then.Revision, 1000)
	s.drain()
	if s.kept != nil {
		s.kept.restore(then.At)
	}
	for _, p := range s.replicas {
		if p != nil {
			p.cache.Relist()
		}
	}
}

// exchange shuts the leader down in order: it gives its lease back.
func (s *stage) exchange() {
	for _, p := range s.replicas {
		if p != nil && p.leads && !p.deposed {
			p.die()
			s.held = s.now()
			s.elect()
			s.in(restart, func() { s.start(p.place) })
			return
		}
	}
}

// usurp lets a second process lead, as an apiserver does that answered one of them
// from its past.
func (s *stage) usurp(who int, d time.Duration) {
	next, former := s.replicas[who], s.replicas[1-who]
	if next == nil || former == nil || next.leads || !former.leads {
		return
	}
	former.overlaps = s.now().Add(d)
	s.promote(next)
	s.in(d, former.retire)
}

// disturb is trouble with a process's watch.
func (p *process) disturb(a Act) {
	s := p.stage
	switch a.Deed { //nolint:exhaustive // of a watch
	case Freeze:
		p.frozen = s.now().Add(a.For)
		s.in(a.For, p.deliver)
	case Rewind:
		p.frozen = s.now().Add(a.For)
		p.cache.Rewind(a.Count)
		p.rewound = true
		s.in(a.For, p.deliver)
	case Relist:
		p.cache.Relist()
	}
}

// deliver lets the watch deliver what is due. One that a restore has broken lists again.
func (p *process) deliver() {
	switch {
	case p.dead, p.frozen.After(p.stage.now()):
	case p.cache.Broken():
		p.cache.Relist()
	default:
		p.cache.Deliver(p.cache.Pending())
	}
}

// refusal is how the next saves fail.
type refusal struct {
	deed  Deed
	word  string
	count int
}

// refuse takes the next refusal of a kind.
func (s *stage) refuse(deed Deed) (string, bool) {
	i := slices.IndexFunc(s.refusals, func(r refusal) bool { return r.deed == deed && r.count > 0 })
	if i < 0 || s.quiet {
		return "", false
	}
	s.refusals[i].count--
	return s.refusals[i].word, true
}

var errAnswerLost = apierrors.NewInternalError(errors.New("the answer was lost"))

// refusal is the apiserver's answer in place of the effect.
func (p *process) refusal(call string) error {
	if call != saveCall && call != finalize && call != applyTraffic {
		return nil
	}
	word, refused := p.stage.refuse(Refuse)
	switch {
	case !refused:
		return nil
	case word == "409":
		return apierrors.NewConflict(schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "cloudrunrollouts"}, key.Name,
			errors.New("the object has been modified"))
	case word == "429":
		return apierrors.NewTooManyRequests("slow down", 1)
	}
	return apierrors.NewInternalError(errors.New("etcdserver: request timed out"))
}

// lost is the apiserver's answer that does not arrive.
func (p *process) lost(call string) error {
	if call != saveCall && call != finalize && call != applyTraffic {
		return nil
	}
	if _, swallowed := p.stage.refuse(Swallow); swallowed {
		p.stage.count.sometimes[swallowedSave]++
		return errAnswerLost
	}
	return nil
}
