package view

import (
	"cmp"
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Console is the address of Google Cloud's console where none other is given.
const Console = "https://console.cloud.google.com"

// Link is a page about a rollout.
type Link struct {
	// Name tells what is there, in a few words.
	Name string
	URL  string
	// Note says what the page needs to have something to show; mostly nothing.
	Note string
	// Further says that it is for whoever looks beyond what the rollout was judged by.
	Further bool
}

// Links are the pages of the console that show what a rollout rests on, those
// of logs and metrics for the time of its newest step. Google does not document
// these addresses; they are what the console itself makes.
func (r Reader) Links(ro *v1alpha1.CloudRunRollout, at string) []Link {
	service := Service(ro)
	if service.Name == "" {
		return nil
	}
	c := console{at, service.Project, WindowOf(ro, r.Now)}
	links := []Link{
		{Name: "service", URL: c.page("run/detail", service.Location, service.Name, "metrics")},
		{Name: "revisions", URL: c.page("run/detail", service.Location, service.Name, "revisions")},
		{Name: "service logs", URL: c.page("run/detail", service.Location, service.Name, "logs")},
	}
	candidate, stable := ro.Status.Candidate, ro.Status.Stable
	if candidate != nil {
		of := revisionTerms(service, candidate.Revision)
		links = append(links,
			Link{Name: "5xx of candidate", URL: c.logs(append(of, `httpRequest.status>=500`))},
			Link{Name: "log of candidate", URL: c.logs(of), Further: true})
	}
	if stable != nil && (candidate == nil || candidate.Revision != stable.Revision) {
		links = append(links, Link{Name: "log of stable", URL: c.logs(revisionTerms(service, stable.Revision)), Further: true})
	}
	routers := map[v1alpha1.Gateway]bool{}
	for _, g := range gatewaysKnown(ro) {
		of := c
		of.project = g.Project
		links = append(links, gatewayLinks(g, of)...)
		if router := (v1alpha1.Gateway{Project: g.Project, Region: g.Region, Router: g.Router}); !routers[router] {
			routers[router] = true
			links = append(links, Link{Name: "router " + g.Router, URL: of.page("hybrid/routers/details", g.Region, g.Router), Further: true})
		}
	}
	return links
}

// revisionTerms ask the Logs Explorer for one revision.
func revisionTerms(service v1alpha1.ServiceReference, revision string) []string {
	return []string{
		`resource.type="cloud_run_revision"`,
		fmt.Sprintf(`resource.labels.service_name="%s"`, service.Name),
		fmt.Sprintf(`resource.labels.location="%s"`, service.Location),
		fmt.Sprintf(`resource.labels.revision_name="%s"`, revision),
	}
}

// gatewayLinks are the pages of one NAT gateway.
func gatewayLinks(g v1alpha1.Gateway, c console) []Link {
	links := []Link{
		{Name: "NAT " + g.Name, URL: c.page("net-services/nat/details", g.Region, g.Router, g.Name) + "&tab=details"},
		{Name: "drops of " + g.Name, Note: "needs logging of errors on the gateway", URL: c.logs([]string{
			`resource.type="nat_gateway"`,
			`jsonPayload.allocation_status="DROPPED"`,
			fmt.Sprintf(`resource.labels.gateway_name="%s"`, g.Name),
			fmt.Sprintf(`resource.labels.region="%s"`, g.Region),
		})},
	}
	for _, chart := range gatewayCharts {
		links = append(links, Link{Name: chart.name + " of " + g.Name, URL: c.chart(chart, g), Further: true})
	}
	return links
}

// gatewaysKnown are the gateways that an attempt watches, else those that the
// spec names.
func gatewaysKnown(ro *v1alpha1.CloudRunRollout) []v1alpha1.Gateway {
	if len(ro.Status.Gateways) == 0 {
		return ro.Spec.NAT.Gateways
	}
	var known []v1alpha1.Gateway
	for _, g := range ro.Status.Gateways {
		known = append(known, v1alpha1.Gateway{Project: g.Project, Region: g.Region, Router: g.Router, Name: g.Name})
	}
	return known
}

// Window is the time that logs are shown for.
type Window struct{ From, To time.Time }

// margin is how long before and after the step's time a window reaches.
const margin = 5 * time.Minute

// WindowOf is the time of the step that was last under way: until it went back, or
// until now. Without an attempt it is the last hour.
func WindowOf(ro *v1alpha1.CloudRunRollout, now time.Time) Window {
	w := Window{From: now.Add(-time.Hour), To: now}
	a := ro.Status.Attempt
	if a == nil || a.FirstWrite == nil {
		return w.whole()
	}
	w.From = cmp.Or(a.EffectiveSince, a.FirstWrite).Time
	if ended := standing.Of(ro); a.Lowered != nil && (ended == standing.RolledBack || ended == standing.GoingBack) {
		w.To = a.Lowered.Time
	}
	if w.To.Before(w.From) {
		w.To = now
	}
	return Window{w.From.Add(-margin), w.To.Add(margin)}.whole()
}

func (w Window) whole() Window {
	return Window{w.From.UTC().Truncate(time.Minute), w.To.UTC().Truncate(time.Minute)}
}
