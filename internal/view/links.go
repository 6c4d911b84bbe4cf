package view

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Console is the address of Google Cloud's console where none other is given.
const Console = "https://console.cloud.google.com"

// Link is a page about a rollout.
type Link struct {
	// Name tells what is there, in one or two words.
	Name string
	URL  string
	// Note says what the page needs to have something to show; mostly nothing.
	Note string
}

// Links are the pages of the console that show what a rollout rests on, those
// of logs and metrics for the time of its newest step. Google does not document
// these addresses; they are what the console itself makes.
func (r Reader) Links(ro *v1alpha1.CloudRunRollout, console string) []Link {
	service := Service(ro)
	if service.Name == "" {
		return nil
	}
	page := func(tab string) string {
		return fmt.Sprintf("%s/run/detail/%s/%s/%s?project=%s", console, service.Location, service.Name, tab, service.Project)
	}
	links := []Link{
		{Name: "service", URL: page("metrics")},
		{Name: "revisions", URL: page("revisions")},
		{Name: "service logs", URL: page("logs")},
	}
	w := WindowOf(ro, r.Now)
	if c := ro.Status.Candidate; c != nil {
		links = append(links, Link{Name: "5xx of candidate", URL: logs(console, service.Project, w,
			`resource.type="cloud_run_revision"`,
			fmt.Sprintf(`resource.labels.service_name="%s"`, service.Name),
			fmt.Sprintf(`resource.labels.location="%s"`, service.Location),
			fmt.Sprintf(`resource.labels.revision_name="%s"`, c.Revision),
			`httpRequest.status>=500`)})
	}
	for _, g := range gatewaysKnown(ro) {
		links = append(links, gatewayLinks(g, console, w)...)
	}
	return links
}

// gatewayLinks are the pages of one NAT gateway.
func gatewayLinks(g v1alpha1.Gateway, console string, w Window) []Link {
	return []Link{
		{Name: "NAT " + g.Name, URL: fmt.Sprintf("%s/net-services/nat/details/%s/%s/%s?project=%s&tab=details",
			console, g.Region, g.Router, g.Name, g.Project)},
		{Name: "drops of " + g.Name, Note: "needs logging of errors on the gateway", URL: logs(console, g.Project, w,
			`resource.type="nat_gateway"`,
			`jsonPayload.allocation_status="DROPPED"`,
			fmt.Sprintf(`resource.labels.gateway_name="%s"`, g.Name),
			fmt.Sprintf(`resource.labels.region="%s"`, g.Region))},
	}
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

// logs is the address of a query of the Logs Explorer. What the console reads as
// its own punctuation is encoded, and blanks as %20: it does not know the plus.
func logs(console, project string, w Window, terms ...string) string {
	query := strings.ReplaceAll(url.QueryEscape(strings.Join(terms, "\n")), "+", "%20")
	return fmt.Sprintf("%s/logs/query;query=%s;startTime=%s;endTime=%s?project=%s", console, query,
		w.From.Format(time.RFC3339), w.To.Format(time.RFC3339), project)
}
