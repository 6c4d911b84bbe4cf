package alerts

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/gateway"
	"github.com/sluice-rollouts/sluice/internal/monitoring"
	"github.com/sluice-rollouts/sluice/internal/notify"
)

// byOthers are metrics that queries use and controller-runtime and client_golang
// tell.
var byOthers = map[string][]string{
	"leader_election_master_status":                    {"name"},
	"workqueue_depth":                                  {"name"},
	"controller_runtime_active_workers":                {"controller"},
	"controller_runtime_reconcile_time_seconds_bucket": {"controller", "le"},
	"process_start_time_seconds":                       {"instance"},
}

// histograms are those metrics that are told in buckets, which a description does not say.
var histograms = []string{"sluice_rollout_duration_seconds", "sluice_rollout_paused_seconds"}

// everywhere are labels that a scrape adds.
var everywhere = []string{"instance", "job", "pod"}

var described = regexp.MustCompile(`fqName: "([^"]+)".*constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}`)

// told are the metrics that a manager tells, with their labels.
func told(t *testing.T) map[string][]string {
	t.Helper()
	clock := clocktesting.NewFakePassiveClock(time.Date(2026, 11, 23, 3, 7, 0, 0, time.UTC))
	run, err := cloudrun.New(t.Context(), cloudrun.Options{Endpoint: "http://127.0.0.1:1", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := monitoring.New(t.Context(), monitoring.Options{Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	gateways, err := gateway.New(t.Context(), gateway.Options{Endpoint: "http://127.0.0.1:1", VPCAccess: "http://127.0.0.1:1", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	news := notify.New(nil, nil, nil, func(string, error) {})
	metrics := map[string][]string{}
	for _, c := range append([]prometheus.Collector{
		controllers.NewCollector(nil, clock, func() int64 { return 0 }), run.Counters(), answers.Counters(), news.Counters(),
	}, gateways.Counters()...) {
		descs := make(chan *prometheus.Desc)
		go func() { c.Describe(descs); close(descs) }()
		for desc := range descs {
			parts := described.FindStringSubmatch(desc.String())
			if parts == nil {
				t.Fatalf("cannot read %s", desc)
			}
			metrics[parts[1]] = append(listed(parts[3]), everywhere...)
			for _, constant := range label.FindAllStringSubmatch(parts[2], -1) {
				metrics[parts[1]] = append(metrics[parts[1]], constant[1])
			}
		}
	}
	for _, name := range histograms {
		metrics[name+"_bucket"] = append(slices.Clone(metrics[name]), "le")
	}
	for name, labels := range byOthers {
		metrics[name] = append(slices.Clone(labels), everywhere...)
	}
	return metrics
}

// listed splits what stands between commas.
func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

var (
	texts    = regexp.MustCompile(`"[^"]*"`)
	names    = regexp.MustCompile(`\b(sluice|workqueue|controller_runtime|leader_election|process)_[a-z_]+\b`)
	selected = regexp.MustCompile(`(\b[a-z_]+)(?:\{([^}]*)\})`)
	grouped  = regexp.MustCompile(`\b(?:by|on|without|ignoring) \(([^)]*)\)`)
	label    = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
)

// untold lists what a query asks for that nobody tells: metrics and labels.
func untold(query string, metrics map[string][]string) []string {
	var missing []string
	bare := texts.ReplaceAllString(query, `""`)
	all := slices.Clone(everywhere)
	for _, name := range names.FindAllString(bare, -1) {
		labels, ok := metrics[name]
		if !ok {
			missing = append(missing, name)
		}
		all = append(all, labels...)
	}
	for _, part := range selected.FindAllStringSubmatch(bare, -1) {
		for _, l := range label.FindAllStringSubmatch(part[2], -1) {
			if !slices.Contains(metrics[part[1]], l[1]) {
				missing = append(missing, part[1]+"{"+l[1]+"}")
			}
		}
	}
	for _, group := range grouped.FindAllStringSubmatch(bare, -1) {
		for _, l := range listed(group[1]) {
			if !slices.Contains(all, l) {
				missing = append(missing, "by "+l)
			}
		}
	}
	slices.SortFunc(missing, cmp.Compare[string])
	return slices.Compact(missing)
}

func TestAlertsAskForWhatIsTold(t *testing.T) {
	t.Parallel()
	metrics := told(t)
	all, _ := rules(t)
	for _, r := range all {
		query := strings.ReplaceAll(r.Expr, "sluice:rollout_exposed", "sluice_rollout_step") // it has the same labels
		if missing := untold(query, metrics); len(missing) > 0 {
			t.Errorf("%s%s asks for %v, which nobody tells", r.Alert, r.Record, missing)
		}
	}
}

func TestWhatNobodyTellsIsNoticed(t *testing.T) {
	t.Parallel()
	metrics := told(t)
	for query, want := range map[string][]string{
		`max by (namespace, name) (sluice_rollout_step{name=~"a{b}"})`:              nil,
		`sum by (sink, result) (sluice_notifications_total{result!="sent"})`:        nil,
		`sum by (api) (sluice_gcp_requests_total{api=~"vpcaccess|iamcredentials"})`: nil,
		`sluice_rollout_phase`:                    {"sluice_rollout_phase"},
		`sluice_rollout_step{phase="Held"}`:       {"sluice_rollout_step{phase}"},
		`sum by (phase) (sluice_decisions_total)`: {"by phase"},
	} {
		if got := untold(query, metrics); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
}
