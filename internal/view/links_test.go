package view_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// released is a rollout of web at 25%, six minutes after the rise, behind two gateways of
// one router.
func released() *v1alpha1.CloudRunRollout {
	ro := &v1alpha1.CloudRunRollout{}
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: "acme-prod", Location: "europe-west1", Name: "web"}
	rise := metav1.NewTime(now.Add(-6 * time.Minute))
	ro.Status.Phase = v1alpha1.PhaseBaking
	ro.Status.Stable = &v1alpha1.RevisionStatus{Revision: "web-1", Percent: 75}
	ro.Status.Candidate = &v1alpha1.RevisionStatus{Revision: "web-2", Percent: 25}
	ro.Status.Attempt = &v1alpha1.Attempt{FirstWrite: &rise, EffectiveSince: &rise}
	for _, name := range []string{"nat-1", "nat-2"} {
		ro.Status.Gateways = append(ro.Status.Gateways, v1alpha1.GatewayStatus{Project: "acme-net", Region: "europe-west1", Router: "r1", Name: name})
	}
	return ro
}

func named(t *testing.T, links []view.Link, name string) string {
	t.Helper()
	for _, l := range links {
		if l.Name == name {
			return l.URL
		}
	}
	t.Fatalf("there is no link %q: %v", name, links)
	return ""
}

// TestEveryLinkIsAWellFormedAddressOfItsProject: of the service's project, or of the
// gateway's, with nothing in it that a browser, a terminal or a chat would end it at.
func TestEveryLinkIsAWellFormedAddressOfItsProject(t *testing.T) {
	t.Parallel()
	links := view.Reader{Now: now}.Links(released(), view.Console)
	names := map[string]bool{}
	for _, l := range links {
		u, err := url.Parse(l.URL)
		if err != nil {
			t.Errorf("%s: %v", l.Name, err)
			continue
		}
		project := "acme-prod"
		if strings.Contains(l.Name, " nat-") || strings.HasPrefix(l.Name, "NAT ") || strings.HasPrefix(l.Name, "router ") {
			project = "acme-net"
		}
		if got := u.Query().Get("project"); got != project || u.Scheme+"://"+u.Host != view.Console {
			t.Errorf("%s is of the project %q, want %q: %s", l.Name, got, project, l.URL)
		}
		if i := strings.IndexAny(l.URL, " +\"'<>{}|\\^`\n()"); i >= 0 {
			t.Errorf("%s has %q in its address: %s", l.Name, l.URL[i], l.URL)
		}
		if names[l.Name] {
			t.Errorf("two links are called %s", l.Name)
		}
		names[l.Name] = true
	}
	if want := 3 + 3 + 2*6 + 1; len(links) != want {
		t.Errorf("%d links, want %d: of the service, its revisions, two gateways and their one router", len(links), want)
	}
	if got, want := named(t, links, "router r1"), view.Console+"/hybrid/routers/details/europe-west1/r1?project=acme-net"; got != want {
		t.Errorf("the router is at %s, want %s", got, want)
	}
}

// TestALogIsThatOfOneRevisionForTheTimeOfTheStep, which is what the Logs Explorer reads
// out of the address.
func TestALogIsThatOfOneRevisionForTheTimeOfTheStep(t *testing.T) {
	t.Parallel()
	links := view.Reader{Now: now}.Links(released(), view.Console)
	const of = `resource.type="cloud_run_revision"` + "\n" + `resource.labels.service_name="web"` + "\n" +
		`resource.labels.location="europe-west1"` + "\n" + `resource.labels.revision_name="`
	for name, want := range map[string]string{
		"log of candidate": of + `web-2"`,
		"log of stable":    of + `web-1"`,
		"5xx of candidate": of + `web-2"` + "\n" + `httpRequest.status>=500`,
	} {
		parts := strings.Split(strings.TrimSuffix(named(t, links, name), "?project=acme-prod"), ";")
		if len(parts) != 4 || parts[0] != view.Console+"/logs/query" || parts[2] != "startTime=2026-11-19T10:47:00Z" || parts[3] != "endTime=2026-11-19T11:03:00Z" {
			t.Errorf("%s: %q", name, parts)
			continue
		}
		query, err := url.PathUnescape(strings.TrimPrefix(parts[1], "query="))
		if err != nil || query != want {
			t.Errorf("%s asks for\n%s\nwant\n%s", name, query, want)
		}
	}
	ended := released()
	ended.Status.Stable = ended.Status.Candidate
	if slices.ContainsFunc(view.Reader{Now: now}.Links(ended, view.Console), func(l view.Link) bool { return l.Name == "log of stable" }) {
		t.Error("the log of the new stable is linked to twice")
	}
}

// TestAChartIsOfAGatewaysMetricAsTheChecksReadIt: the state that the Metrics Explorer reads
// out of the address names metric, gateway, aligner and reducer.
func TestAChartIsOfAGatewaysMetricAsTheChecksReadIt(t *testing.T) {
	t.Parallel()
	links := view.Reader{Now: now}.Links(released(), view.Console)
	for name, want := range map[string]struct{ metric, aligner, reducer, groups string }{
		"allocated ports of nat-2":    {"allocated_ports", "ALIGN_MAX", "REDUCE_SUM", `resource.label."router_id"`},
		"port usage of nat-2":         {"port_usage", "ALIGN_MAX", "REDUCE_MAX", `resource.label."router_id" metric.label."ip_protocol"`},
		"failed allocations of nat-2": {"nat_allocation_failed", "ALIGN_COUNT_TRUE", "REDUCE_SUM", `resource.label."router_id"`},
		"dropped packets of nat-2":    {"dropped_sent_packets_count", "ALIGN_SUM", "REDUCE_SUM", `resource.label."router_id" metric.label."reason"`},
	} {
		address, query, _ := strings.Cut(named(t, links, name), "?")
		if want := view.Console + "/monitoring/metrics-explorer;startTime=2026-11-19T10:47:00Z;endTime=2026-11-19T11:03:00Z"; address != want {
			t.Errorf("%s is at %s, want %s", name, address, want)
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var state struct {
			XYChart struct {
				DataSets []struct {
					PlotType, TargetAxis string
					TimeSeriesFilter     struct {
						Filter, MinAlignmentPeriod string
						Aggregations               []struct {
							AlignmentPeriod, PerSeriesAligner, CrossSeriesReducer string
							GroupByFields                                         []string
						}
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(values.Get("pageState")), &state); err != nil || len(state.XYChart.DataSets) != 1 {
			t.Fatalf("%s: %v in %s", name, err, values.Get("pageState"))
		}
		series := state.XYChart.DataSets[0].TimeSeriesFilter
		filter := `metric.type="router.googleapis.com/nat/` + want.metric + `" resource.type="nat_gateway" resource.label."region"="europe-west1" resource.label."gateway_name"="nat-2"`
		if series.Filter != filter || len(series.Aggregations) != 1 {
			t.Errorf("%s shows %s, want %s", name, series.Filter, filter)
			continue
		}
		by := series.Aggregations[0]
		if by.PerSeriesAligner != want.aligner || by.CrossSeriesReducer != want.reducer || by.AlignmentPeriod != "60s" || strings.Join(by.GroupByFields, " ") != want.groups {
			t.Errorf("%s adds up by %+v, want %+v", name, by, want)
		}
	}
}
