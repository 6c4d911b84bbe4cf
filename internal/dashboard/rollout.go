package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// rolloutPage is one rollout.
type rolloutPage struct {
	frame
	Mark           view.Mark
	Tone, Name     string
	Service        v1alpha1.ServiceReference
	Subject        string // where the service is not known
	Headline       string
	Cause, Next    string
	Doubts, Rules  []string
	Deeds          []view.Deed
	Gcloud         string
	Revisions      []revision
	InSync         string
	Steps          []step
	Chart          *chart
	Checks         []check
	Trends         bool // one of the checks has one
	Gateways       []gateway
	Advice         []v1alpha1.Advice
	Links          []view.Link
	More           bool // links than are shown
	Window, Answer string
	History        []turn
}

// revision is one of the two that matter.
type revision struct {
	Role, Name, Image string
	Percent           int32
	Width             string
}

// step is a step of the plan; Class tells the style sheet where it stands.
type step struct {
	view.Step
	Class string
}

// check is a verdict on the step under way.
type check struct {
	v1alpha1.CheckStatus
	Tone, Verdict, Requests, Through, Finding string
	Meter                                     *meter
	Spark                                     *spark
}

// gateway is a NAT gateway that the attempt watches.
type gateway struct {
	Name, Place, Ports string
	Bar                *portsBar
	Others             []neighbour
}

// neighbour is another rollout behind the same gateway.
type neighbour struct{ Name, Link, Weight, Reason string }

// turn is an entry of the history.
type turn struct {
	v1alpha1.HistoryEntry
	At, For string
}

func (s *Server) rollout(w http.ResponseWriter, r *http.Request) {
	rollouts, err := s.visible(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	for i := range rollouts {
		if ro := &rollouts[i]; ro.Namespace == r.PathValue("namespace") && ro.Name == r.PathValue("name") {
			page := s.page(ro, rollouts)
			page.frame = s.frame(r.Context(), page.Name, "../../", rollouts)
			s.write(w, "rollout.html", page)
			return
		}
	}
	http.Error(w, "there is no such rollout, or you may not list rollouts in its namespace", http.StatusNotFound)
}

// page says what an object says, in the words that kubectl sluice uses too.
func (s *Server) page(ro *v1alpha1.CloudRunRollout, all []v1alpha1.CloudRunRollout) rolloutPage {
	reader := s.reader()
	mark := reader.Mark(ro)
	window := view.WindowOf(ro, reader.Now)
	p := rolloutPage{
		Mark: mark, Tone: tones[mark.Tone], Name: view.Name(ro), Service: view.Service(ro), Subject: view.Subject(ro),
		Headline: reader.Headline(ro), Cause: reader.Cause(ro), Next: reader.Next(ro),
		Doubts: reader.Doubts(ro), Rules: view.Rules(ro), Deeds: view.Deeds(ro), Gcloud: view.Gcloud(ro),
		Revisions: revisionsOf(ro), InSync: reader.InSync(ro), Chart: chartOf(ro, reader), Advice: ro.Status.Advice,
		Window: reader.Clock(window.From) + " to " + reader.Clock(window.To), Answer: reader.Answered(ro),
	}
	p.Links, p.More = linked(reader.Links(ro, s.Console))
	for _, of := range view.Steps(ro) {
		p.Steps = append(p.Steps, step{of, classOf(of)})
	}
	for _, c := range ro.Status.Checks {
		made := s.check(ro, c)
		p.Checks = append(p.Checks, made)
		p.Trends = p.Trends || made.Spark != nil
	}
	for _, g := range ro.Status.Gateways {
		p.Gateways = append(p.Gateways, gateway{g.Name, view.Place(g), reader.Ports(g), portsOf(g), neighbours(ro, g, all)})
	}
	for i, h := range slices.Backward(ro.Status.History) {
		p.History = append(p.History, turn{h, reader.Clock(h.Time.Time), reader.Lasted(ro.Status.History, i)})
	}
	return p
}

func (s *Server) check(ro *v1alpha1.CloudRunRollout, c v1alpha1.CheckStatus) check {
	reader := s.reader()
	made := check{
		CheckStatus: c, Tone: tones[view.ToneOf(c)], Verdict: view.Verdict(c), Requests: view.Requests(c),
		Through: reader.AtOr(c.ObservedThrough, "-"), Meter: meterOf(c), Spark: sparkOf(s.trends.of(ro, c), c),
	}
	if c.Verdict != v1alpha1.VerdictPass { // of a pass the numbers say it all
		made.Finding = reader.Finding(ro, c)
	}
	return made
}

func revisionsOf(ro *v1alpha1.CloudRunRollout) []revision {
	var revisions []revision
	add := func(role string, r *v1alpha1.RevisionStatus) {
		revisions = append(revisions, revision{role, r.Revision, r.Image, r.Percent, px(shareWidth * float64(r.Percent) / 100)})
	}
	stable, candidate := ro.Status.Stable, ro.Status.Candidate
	if candidate != nil && (stable == nil || candidate.Revision != stable.Revision) {
		add("candidate", candidate)
	}
	if stable != nil {
		add("stable", stable)
	}
	return revisions
}

// classOf tells the style sheet where a step stands. What it draws is in the
// step's words, too.
func classOf(s view.Step) string {
	word, _, _ := strings.Cut(s.State, ",")
	switch word {
	case "done", "now", "next":
		return word
	case "given up":
		return "alarm"
	}
	return "later"
}

// neighbours are other rollouts behind a gateway, whose traffic it feels, too.
func neighbours(ro *v1alpha1.CloudRunRollout, g v1alpha1.GatewayStatus, all []v1alpha1.CloudRunRollout) []neighbour {
	var found []neighbour
	for _, other := range view.Neighbours(ro, g, all) {
		found = append(found, neighbour{
			view.Name(&other), fmt.Sprintf("../%s/%s", other.Namespace, other.Name),
			view.Dash(other.Status.Weight), view.Dash(standing.Reason(&other)),
		})
	}
	return found
}

// furthest is how many bytes the addresses of further links may have together: they have
// queries in them, and the page is to stay small.
const furthest = 10_000

// linked keeps the links that lead to a page with TLS, and of the further ones
// those that there is room for. More tells that some were left out.
func linked(links []view.Link) (kept []view.Link, more bool) {
	room := furthest
	for _, l := range links {
		if !strings.HasPrefix(l.URL, "https://") {
			continue
		}
		if l.Further {
			room -= len(l.URL)
		}
		if l.Further && room < 0 {
			more = true
			continue
		}
		kept = append(kept, l)
	}
	return kept, more
}
