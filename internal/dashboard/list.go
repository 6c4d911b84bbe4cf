package dashboard

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// listPage is all rollouts that somebody may see, in groups.
type listPage struct {
	frame
	Groups []group
	Total  int
	Calm   bool // nobody is needed
	Stale  string
}

// group is the rollouts that want about as much of a person.
type group struct {
	ID, Title string
	Folded    bool // it is long, and nothing is going on in it
	Rows      []row
}

// row is one rollout.
type row struct {
	view.Summary
	Tone, Link string
	Share      share
	Quiet      bool // what happens next is nothing, so it is left out
}

// needs is the group of what somebody must see to.
const needs = "needs"

// groups are the groups in their order, and which standings each takes.
var groups = []struct {
	id, title string
	of        []standing.Standing
}{
	{needs, "Needs you", []standing.Standing{standing.Failing, standing.Stuck, standing.NeedsPerson}},
	{"moving", "Under way", []standing.Standing{standing.GoingBack, standing.Waiting, standing.Moving, standing.NotSeen}},
	{"back", "Rolled back", []standing.Standing{standing.RolledBack}},
	{"settled", "Settled", []standing.Standing{standing.Settled}},
}

// manySettled is from how many on those with nothing to do are folded away.
const manySettled = 8

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	rollouts, err := s.visible(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	page := listPage{
		frame: s.frame(r.Context(), "Rollouts", "", rollouts), Total: len(rollouts), Stale: s.reader().StaleOnes(rollouts),
	}
	sorted := s.reader().Sorted(rollouts)
	for _, g := range groups {
		made := group{ID: g.id, Title: g.title}
		for i := range sorted {
			if s.groupOf(&sorted[i]) == g.id {
				made.Rows = append(made.Rows, s.row(&sorted[i]))
			}
		}
		made.Folded = g.id == "settled" && len(made.Rows) >= manySettled
		if len(made.Rows) > 0 {
			page.Groups = append(page.Groups, made)
		}
	}
	page.Calm = len(page.Groups) == 0 || page.Groups[0].ID != needs
	s.write(w, "list.html", page)
}

// groupOf is the group of a rollout. What serves users and is watched by nobody needs
// somebody.
func (s *Server) groupOf(ro *v1alpha1.CloudRunRollout) string {
	if _, stale := s.reader().Stale(ro); stale {
		return needs
	}
	for _, g := range groups {
		if slices.Contains(g.of, standing.Of(ro)) {
			return g.id
		}
	}
	return ""
}

func (s *Server) row(ro *v1alpha1.CloudRunRollout) row {
	summary := s.reader().Summarize(ro)
	return row{
		Summary: summary, Tone: tones[summary.Mark.Tone], Share: shareOf(ro),
		Link:  "rollouts/" + url.PathEscape(ro.Namespace) + "/" + url.PathEscape(ro.Name),
		Quiet: standing.Of(ro) == standing.Settled,
	}
}
