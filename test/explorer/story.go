package explorer

import (
	"fmt"
	"slices"
	"strings"
)

// story tells how a finding is reached, a sentence for each thing that happens.
func (x *search) story(f finding) []string {
	var path []reached
	if !f.walked {
		path = append(path, f.reached)
	}
	for n := f.parent; n != 0; n = x.store.at(n).parent {
		path = append(path, *x.store.at(n))
	}
	slices.Reverse(path)
	w := x.worker()
	var sentences []string
	for _, r := range path {
		before := x.store.at(r.parent).state
		sentences = append(sentences, w.sentence(x.actions[r.action], before, r.state))
	}
	return sentences
}

// sentence is what an action does, and what follows from it.
func (w *worker) sentence(a action, before, after state) string {
	text := a.tells
	if c, ok := begins(before, after); ok {
		d := w.decisions.at(c.decision)
		text += fmt.Sprintf(" %s: %s", w.stands(d.status), w.note(before))
		if d.write.list != 0 {
			text += fmt.Sprintf(" It means to write %s.", w.splitOf(d.write.list))
		}
		if d.write.template != 0 {
			text += fmt.Sprintf(" It means to deploy template %s.", digests[d.write.template])
		}
	}
	if before.cloud.asked() != after.cloud.asked() {
		text += fmt.Sprintf(" Asked for is %s.", w.splitOf(after.cloud.asked()))
	}
	if before.object.status != after.object.status && before.object.life == after.object.life {
		text += fmt.Sprintf(" The status is %s.", w.stands(after.object.status))
	}
	return text
}

// begins finds the pass that began in between.
func begins(before, after state) (controller, bool) {
	for _, c := range after.controllers {
		if c.stage == decided && !slices.Contains(before.controllers[:], c) && before.cloud == after.cloud && before.object == after.object {
			return c, true
		}
	}
	return controller{}, false
}

func (w *worker) stands(status uint32) string {
	p := w.statuses.at(status)
	return fmt.Sprintf("%s/%s", p.Phase, p.Reason)
}

// note is what a decision says of itself.
func (w *worker) note(s state) string {
	d := w.scope.Decide(w.input(sight{s.object, s.cloud, s.weather, s.shut}))
	return d.Note + "."
}

func (w *worker) splitOf(list uint32) string {
	var parts []string
	for _, e := range w.lists.at(list).entries {
		name := e.Revision
		if e.Latest {
			name = "LATEST"
		}
		if e.Percent > 0 {
			parts = append(parts, fmt.Sprintf("%s %d%%", name, e.Percent))
		}
	}
	return strings.Join(parts, ", ")
}
