package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

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
	Sheet  sheet
}

// group is the rollouts that want about as much of a person.
type group struct {
	ID, Title string
	Total     int
	Folded    bool  // it is long, and nothing is going on in it
	Rows      []row // those of this page
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

// perPage is how many rollouts a page lists: with the longest of what may be said of each
// it stays below 60 kB.
const perPage = 30

// sheet is one of the pages that a long list has.
type sheet struct {
	Number, Of  int // from 1
	First, Last int // of the rollouts, from 1
}

// Before and After are the numbers of the pages beside it; 0 where there is none.
func (p sheet) Before() int { return p.Number - 1 }

// After is described at Before.
func (p sheet) After() int { return (p.Number + 1) * min(1, p.Of-p.Number) }

// sheetOf reads which page is asked for: the first one where that is not said well, the
// last one beyond the end, because the list got shorter since.
func sheetOf(asked string, rollouts int) sheet {
	of := max(1, (rollouts+perPage-1)/perPage)
	number, err := strconv.Atoi(asked)
	if err != nil {
		number = 1
	}
	number = min(max(1, number), of)
	return sheet{Number: number, Of: of, First: (number-1)*perPage + 1, Last: min(number*perPage, rollouts)}
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	rollouts, err := s.visible(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	page := listPage{
		frame: s.frame(r.Context(), "Rollouts", "", rollouts), Total: len(rollouts), Stale: s.reader().StaleOnes(rollouts),
		Sheet: sheetOf(r.URL.Query().Get("page"), len(rollouts)),
	}
	page.Calm = true
	for _, g := range s.grouped(s.reader().Sorted(rollouts), page.Sheet) {
		page.Calm = page.Calm && (g.ID != needs || g.Total == 0)
		if len(g.Rows) > 0 {
			page.Groups = append(page.Groups, g)
		}
	}
	s.write(w, "list.html", page)
}

// grouped puts rollouts into their groups, with the rows of one page.
func (s *Server) grouped(sorted []v1alpha1.CloudRunRollout, on sheet) []group {
	all, number := make([]group, 0, len(groups)), 0
	for _, g := range groups {
		made := group{ID: g.id, Title: g.title}
		for i := range sorted {
			if s.groupOf(&sorted[i]) != g.id {
				continue
			}
			made.Total++
			if number++; number >= on.First && number <= on.Last {
				made.Rows = append(made.Rows, s.row(&sorted[i]))
			}
		}
		made.Folded = g.id == "settled" && len(made.Rows) >= manySettled && on.Number == 1
		all = append(all, made)
	}
	return all
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
