package view

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// console makes addresses of Google Cloud's console: of one project, and where it
// matters for a time.
type console struct {
	at, project string
	window      Window
}

// page is the address of a page: what it is of, one name each.
func (c console) page(of string, names ...string) string {
	parts := []string{c.at, of}
	for _, name := range names {
		parts = append(parts, url.PathEscape(name))
	}
	return strings.Join(parts, "/") + "?project=" + encoded(c.project)
}

// logs is the address of a query of the Logs Explorer, whose terms must all be true.
func (c console) logs(terms []string) string {
	return fmt.Sprintf("%s/logs/query;query=%s;%s?project=%s", c.at, encoded(strings.Join(terms, "\n")), c.time(), encoded(c.project))
}

// time is the window as the console's pages of logs and metrics take it.
func (c console) time() string {
	return fmt.Sprintf("startTime=%s;endTime=%s", c.window.From.Format(time.RFC3339), c.window.To.Format(time.RFC3339))
}

// chart is a metric of a NAT gateway on a chart, minute by minute.
type chart struct {
	name, metric, aligner, reducer string
	by                             string // a label of the metric; "" for one line
}

// gatewayCharts are what a gateway's metrics tell of its ports: how many all endpoints
// have, how often one endpoint uses its ports for the same destination, and what came of
// having too few. The aligners are those that the checks ask for.
var gatewayCharts = []chart{
	{"allocated ports", "allocated_ports", "ALIGN_MAX", "REDUCE_SUM", ""},
	{"port usage", "port_usage", "ALIGN_MAX", "REDUCE_MAX", "ip_protocol"},
	{"failed allocations", "nat_allocation_failed", "ALIGN_COUNT_TRUE", "REDUCE_SUM", ""},
	{"dropped packets", "dropped_sent_packets_count", "ALIGN_SUM", "REDUCE_SUM", "reason"},
}

// The state of the Metrics Explorer, as far as a link sets it.
type (
	pageState struct {
		Chart xyChart `json:"xyChart"`
	}
	xyChart struct {
		DataSets []dataSet `json:"dataSets"`
	}
	dataSet struct {
		Series timeSeriesFilter `json:"timeSeriesFilter"`
		Axis   string           `json:"targetAxis"`
		Plot   string           `json:"plotType"`
	}
	timeSeriesFilter struct {
		Filter       string        `json:"filter"`
		MinAlignment string        `json:"minAlignmentPeriod"`
		Aggregations []aggregation `json:"aggregations"`
	}
	aggregation struct {
		Period  string   `json:"alignmentPeriod"`
		Aligner string   `json:"perSeriesAligner"`
		Reducer string   `json:"crossSeriesReducer"`
		GroupBy []string `json:"groupByFields"`
	}
)

// chart is the address of a chart in the Metrics Explorer.
func (c console) chart(of chart, g v1alpha1.Gateway) string {
	filter := fmt.Sprintf(`metric.type="router.googleapis.com/nat/%s" resource.type="nat_gateway" `+
		`resource.label."region"="%s" resource.label."gateway_name"="%s"`, of.metric, g.Region, g.Name)
	// Gateways of one name on two routers stay two lines.
	groups := []string{`resource.label."router_id"`}
	if of.by != "" {
		groups = append(groups, fmt.Sprintf("metric.label.%q", of.by))
	}
	state, err := json.Marshal(pageState{xyChart{[]dataSet{{
		Axis: "Y1", Plot: "LINE",
		Series: timeSeriesFilter{
			Filter: filter, MinAlignment: "60s",
			Aggregations: []aggregation{{Period: "60s", Aligner: of.aligner, Reducer: of.reducer, GroupBy: groups}},
		},
	}}}})
	if err != nil {
		panic(err) // texts and lists of texts
	}
	return fmt.Sprintf("%s/monitoring/metrics-explorer;%s?pageState=%s&project=%s", c.at, c.time(), encoded(string(state)), encoded(c.project))
}

// encoded is a text as a part of the console's addresses. What it reads as its own
// punctuation is encoded, and blanks as %20: it does not know the plus.
func encoded(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
