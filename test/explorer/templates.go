package explorer

import (
	"fmt"
	"slices"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// digests of the templates that Git may have: what web-1 was made from, and two more.
var digests = [...]string{"", "a", "b", "c"}

// templateOf is the number of a template; 0 for one that there is none of.
func templateOf(digest string) uint8 {
	return uint8(max(0, slices.Index(digests[:], digest))) //nolint:gosec // a few
}

// template is what spec.template says.
func template(number uint8) rollout.Template {
	if number == 0 {
		return rollout.Template{}
	}
	return rollout.Template{Digest: digests[number], JSON: "{}", Image: "acme/web:" + digests[number]}
}

// templates are what a person may do in Git. The first new template costs nothing: it is
// what a release is.
func templates() []action {
	list := []action{
		{"Git has the template b, for the first time.", free, func(w *worker, s *state) bool {
			return s.object.wants == 1 && s.cloud.created == 1 && w.wants(s, 2)
		}},
		{"Git leaves the template to others.", act, func(w *worker, s *state) bool { return w.wants(s, 0) }},
	}
	for number, digest := range digests {
		if number > 0 {
			list = append(list, action{fmt.Sprintf("Git has the template %s.", digest), act, func(w *worker, s *state) bool {
				return w.wants(s, uint8(number)) //nolint:gosec // a few
			}})
		}
	}
	return list
}

// wants changes spec.template.
func (w *worker) wants(s *state, number uint8) bool {
	if s.object.life != living || s.object.wants == number {
		return false
	}
	s.object.wants = number
	w.touched(s)
	return true
}

// awaitsFirst tells whether the release that everything is about is still to come, by
// whoever deploys: where web-1 was made by Git, Git releases.
func (c *cloud) awaitsFirst() bool { return c.created == 1 && c.made[1] == 0 }

// takes tells whether there is a revision left for a template.
func (c *cloud) takes(template uint8) bool {
	return c.template == template || c.created < mostRevisions
}

// landsTemplate is a template of ours that takes effect. The one that is there already
// makes no revision.
func (w *worker) landsTemplate(s *state, number uint8) {
	c := &s.cloud
	if c.template != number {
		c.created++
		c.template, c.revisions[c.created], c.made[c.created] = number, ready, number
	}
	s.past.deployed = number
	w.accept(s, c.desired)
}

// deployWellFormed: I1, I2, I9, I14. A template is sent alone, on the service as it was
// read, where nothing follows LATEST and nobody wants that nothing new begins.
func (w *worker) deployWellFormed(s sight, d rollout.Decision) string {
	if d.Deploy == nil {
		return ""
	}
	digest := d.Deploy.Template().Digest
	switch {
	case d.Deploy.ETag() != etagNow:
		return fmt.Sprintf("I2: a template has the etag %q, not that of the service as it was read", d.Deploy.ETag())
	case d.Write != nil:
		return "I1: a template and a split are to be sent at once"
	case w.lists.at(s.cloud.asked()).latest > 0:
		return "I1: a template is to be sent, and traffic follows LATEST"
	case s.object.wants == 0 || digest != digests[s.object.wants]:
		return fmt.Sprintf("I2: template %s is to be sent, and %q is wanted", digest, digests[s.object.wants])
	case s.object.paused, s.shut:
		return "I9: a template is to be sent, and nothing new may begin"
	case s.object.life != living:
		return "I14: a template is to be sent for an object that is to go"
	}
	return ""
}

// deploysOnce: I8, I16. Nothing is deployed to what another cluster has, and nothing twice
// where nobody has deployed since.
func (w *worker) deploysOnce(s *state, d *decision) string {
	switch number := d.write.template; {
	case number == 0:
	case s.past.owner == they:
		return "I8: a template is to be sent, and another cluster has taken the service over"
	case number == s.past.deployed, number == s.cloud.template:
		return fmt.Sprintf("I16: template %s is to be sent again, and nobody has deployed another", digests[number])
	}
	return ""
}

// gitWins: I7. What Git went back from does not rise, and no attempt begins with a
// revision of a template that Git does not want; a person may ask for it.
func (w *worker) gitWins(s *state, is *rollout.Progress, d *decision) string {
	wanted, made := s.object.wants, s.cloud.made[numberOf(is.Candidate)]
	if wanted == 0 || made == 0 || made == wanted || d.accepted {
		return ""
	}
	switch {
	case d.began:
		return fmt.Sprintf("I7: an attempt begins with a revision of template %s, and Git has %s", digests[made], digests[wanted])
	case d.rises && s.cloud.made[numberOf(is.Stable)] == wanted && s.past.deployed == made:
		return fmt.Sprintf("I7: %s is to rise, and Git went back to what stable serves", is.Candidate)
	}
	return ""
}

// gitArrives is what is wrong with what becomes of what Git wants, from a state between
// attempts in which nothing keeps it from being deployed: when every call succeeds it is
// there after some passes. What was seen there before stays as somebody left it since.
func (w *worker) gitArrives(s state) string {
	p, wanted := w.saidOf(&s), s.object.wants
	switch {
	case wanted == 0, !s.cloud.takes(wanted), s.cloud.made[numberOf(p.Stable)] == wanted, p.Deployed == digests[wanted]:
		return "" // nothing has to arrive
	case active(p.Phase), s.object.life != living, s.object.paused, s.shut:
		return "" // something has to end before
	case s.past.owner == they, s.past.foreign, p.Reason == rollout.BaselineUnknown:
		return "" // a person is asked
	case w.lists.at(s.cloud.asked()).latest > 0 && s.cloud.revisions[s.cloud.ready] == lost:
		return "" // nothing is there that LATEST could be pinned to
	}
	for range mostLooks {
		w.pass(&s)
		if s.cloud.template == wanted || active(w.saidOf(&s).Phase) {
			return ""
		}
	}
	return w.endless(&s, p, "Git has template "+digests[wanted])
}
