package alerts

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"cloud.google.com/go/monitoring/dashboard/apiv1/dashboardpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

const forMonitoring = "../../config/monitoring"

// readAs reads a file as the API's message, which has no other fields.
func readAs[M proto.Message](t *testing.T, file string, message M) M {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := protojson.Unmarshal(text, message); err != nil {
		t.Fatalf("%s is not what the API takes: %v", file, err)
	}
	return message
}

func policies(t *testing.T) map[string]*monitoringpb.AlertPolicy {
	t.Helper()
	files, err := filepath.Glob(forMonitoring + "/policies/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d policies, %v", len(files), err)
	}
	all := map[string]*monitoringpb.AlertPolicy{}
	for _, file := range files {
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = readAs(t, file, &monitoringpb.AlertPolicy{})
	}
	return all
}

func tiles(t *testing.T) []*dashboardpb.MosaicLayout_Tile {
	t.Helper()
	return readAs(t, forMonitoring+"/dashboard.json", &dashboardpb.Dashboard{}).GetMosaicLayout().GetTiles()
}

// starving is a world in which a gateway drops packets and cannot allocate.
func starving(t *testing.T) *simulator.World {
	t.Helper()
	w, err := simulator.New(simulator.Scenario{
		Seed: 1, Start: time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC), Caller: "ci@acme-prod.iam.gserviceaccount.com",
		Services: []simulator.Hosted{{
			Project: "acme-prod", Location: "us-central1", Name: "api", Users: simulator.Users{RequestsPerSecond: 20},
			Revisions: []simulator.Deployment{{Image: "api:1", Revision: "api-1", Behaviour: &simulator.Behaviour{Errors: []simulator.ErrorRate{{Percent: 5}}}}},
		}},
		Gateways: []simulator.Gateway{{
			Project: "acme-prod", Region: "us-central1", Router: "r1", Name: "nat-1", AllocatedPorts: 6400, OpenConnections: 900,
			Drops:              []simulator.Drop{{PacketsPerMinute: 60}},
			AllocationFailures: []simulator.Interval{{}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Advance(20 * time.Minute)
	// A gateway that is described by its numbers alone has no connections to count.
	minute := w.Now().Truncate(time.Minute).Add(-5 * time.Minute)
	w.Series().Record(series.Point{
		Type: series.PortUsage, ResourceType: series.ResourceGateway, Labels: map[string]string{"ip_protocol": "TCP"},
		Resource: map[string]string{"project_id": "acme-prod", "region": "us-central1", "router_id": "7", "gateway_name": "nat-1"},
		End:      minute, VisibleAt: minute, Value: series.Int(60),
	})
	return w
}

// within are the last ten minutes of a world's day, as a query wants them.
func within(w *simulator.World, filter string, a series.Aggregation) series.Query {
	return series.Query{Project: "acme-prod", Filter: filter, Start: w.Now().Add(-10 * time.Minute), End: w.Now(), Aggregation: a}
}

// answered tells how many series a chart has in a world. A percentile is more than the
// simulated Monitoring can do: only that is excused, since the filter was read then.
func answered(t *testing.T, w *simulator.World, filter string, a *dashboardpb.Aggregation) int {
	t.Helper()
	result, err := w.Series().Query(within(w, filter, series.Aggregation{
		Period: a.GetAlignmentPeriod().AsDuration(), Aligner: series.Aligner(a.GetPerSeriesAligner().String()),
		Reducer: series.Reducer(a.GetCrossSeriesReducer().String()), GroupBy: a.GetGroupByFields(),
	}), w.Now())
	var refused *series.Error
	if errors.As(err, &refused) && strings.Contains(refused.Message, "not supported here") {
		return 1
	}
	if err != nil {
		t.Errorf("%s: %v", filter, err)
	}
	return len(result.Series)
}

// TestTheDashboardAsksWhatMonitoringHas: each chart has something to show of a service
// that fails and a gateway that is full.
func TestTheDashboardAsksWhatMonitoringHas(t *testing.T) {
	t.Parallel()
	w, charts := starving(t), 0
	ask := func(title, filter string, a *dashboardpb.Aggregation) {
		if answered(t, w, filter, a) == 0 {
			t.Errorf("%s shows nothing", title)
		}
	}
	for _, tile := range tiles(t) {
		for _, set := range tile.GetWidget().GetXyChart().GetDataSets() {
			charts++
			title, query := tile.GetWidget().GetTitle(), set.GetTimeSeriesQuery()
			if one := query.GetTimeSeriesFilter(); one != nil {
				ask(title, one.GetFilter(), one.GetAggregation())
				continue
			}
			ratio := query.GetTimeSeriesFilterRatio()
			ask(title, ratio.GetNumerator().GetFilter(), ratio.GetNumerator().GetAggregation())
			ask(title, ratio.GetDenominator().GetFilter(), ratio.GetDenominator().GetAggregation())
		}
	}
	if charts < 8 {
		t.Errorf("%d charts", charts)
	}
}

// TestNoTileLiesOverAnother: the API refuses such a dashboard.
func TestNoTileLiesOverAnother(t *testing.T) {
	t.Parallel()
	all := tiles(t)
	for i, a := range all {
		if a.GetXPos()+a.GetWidth() > 48 {
			t.Errorf("%s is wider than the board", a.GetWidget().GetTitle())
		}
		for _, b := range all[:i] {
			apart := a.GetXPos() >= b.GetXPos()+b.GetWidth() || b.GetXPos() >= a.GetXPos()+a.GetWidth() ||
				a.GetYPos() >= b.GetYPos()+b.GetHeight() || b.GetYPos() >= a.GetYPos()+a.GetHeight()
			if !apart {
				t.Errorf("%s lies over %s", a.GetWidget().GetTitle(), b.GetWidget().GetTitle())
			}
		}
	}
}

// TestThePoliciesOfMetricsFire: a threshold that no value can be above is a mistake
// that others have made with the failed allocations, which are true or false.
func TestThePoliciesOfMetricsFire(t *testing.T) {
	t.Parallel()
	w, thresholds := starving(t), 0
	for name, policy := range policies(t) {
		for _, c := range policy.GetConditions() {
			threshold := c.GetConditionThreshold()
			if threshold == nil {
				continue
			}
			thresholds++
			a := threshold.GetAggregations()[0]
			result, err := w.Series().Query(within(w, threshold.GetFilter(), series.Aggregation{
				Period: a.GetAlignmentPeriod().AsDuration(), Aligner: series.Aligner(a.GetPerSeriesAligner().String()),
				Reducer: series.Reducer(a.GetCrossSeriesReducer().String()), GroupBy: a.GetGroupByFields(),
			}), w.Now())
			if err != nil || len(result.Series) != 1 {
				t.Fatalf("%s: %d series, %v", name, len(result.Series), err)
			}
			for _, p := range result.Series[0].Points {
				if float64(p.Value.Int64()) <= threshold.GetThresholdValue() {
					t.Errorf("%s: %v is not above %v, in a world that has nothing else", name, p.Value, threshold.GetThresholdValue())
				}
			}
		}
	}
	if thresholds != 2 {
		t.Errorf("%d policies of metrics", thresholds)
	}
}

// labelIs is a label of the monitored resource that a filter asks for.
var labelIs = regexp.MustCompile(`resource\.label\.([a-z_]+) = "([^"]*)"`)

// TestThePolicyOfTheManagerWaitsForWhatIsDeployed: nothing else would ever be missed.
// The simulated Monitoring has no metrics of GKE. It reads the filter, and then says so.
func TestThePolicyOfTheManagerWaitsForWhatIsDeployed(t *testing.T) {
	t.Parallel()
	deployed, namespace := appsv1.Deployment{}, corev1.Namespace{}
	readYAML(t, "../../config/manager/manager.yaml", &deployed)
	readYAML(t, "../../config/manager/namespace.yaml", &namespace)
	want := map[string]string{"namespace_name": namespace.Name, "container_name": deployed.Spec.Template.Spec.Containers[0].Name}
	policy := policies(t)["manager-is-gone"]
	absent := policy.GetConditions()[0].GetConditionAbsent()
	asked := map[string]string{}
	for _, label := range labelIs.FindAllStringSubmatch(absent.GetFilter(), -1) {
		asked[label[1]] = label[2]
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("what is waited for (-deployed +asked):\n%s", diff)
	}
	w, a := starving(t), absent.GetAggregations()[0]
	_, err := w.Series().Query(within(w, absent.GetFilter(), series.Aggregation{
		Period: a.GetAlignmentPeriod().AsDuration(), Aligner: series.Aligner(a.GetPerSeriesAligner().String()),
		Reducer: series.Reducer(a.GetCrossSeriesReducer().String()), GroupBy: a.GetGroupByFields(),
	}), w.Now())
	if err == nil || !strings.Contains(err.Error(), "doesn't refer to any known metric") {
		t.Errorf("the filter is not read: %v", err)
	}
	// The API takes whole minutes, two at least. A container's points may be four minutes
	// late, and an incident closes by itself where nothing is told for so long.
	lasts := absent.GetDuration().AsDuration()
	if lasts < 5*time.Minute || lasts%time.Minute != 0 || policy.GetAlertStrategy().GetAutoClose().AsDuration() < 24*time.Hour {
		t.Errorf("missed after %s, closed after %s", lasts, policy.GetAlertStrategy().GetAutoClose().AsDuration())
	}
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

var (
	phaseIs    = regexp.MustCompile(`jsonPayload\.phase="([^"]*)"`)
	messageIs  = regexp.MustCompile(`jsonPayload\.msg="([^"]*)"`)
	fieldsUsed = regexp.MustCompile(`jsonPayload\.([a-zA-Z]+)`)
	guide      = regexp.MustCompile(`blob/main/(docs/[a-zA-Z/.-]+\.md)`)
)

// TestThePoliciesOfLogsLookForWhatIsLogged holds their filters, and the labels that they
// take, against the lines that tell of a rollout's state.
func TestThePoliciesOfLogsLookForWhatIsLogged(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../controllers/tell.go")
	if err != nil {
		t.Fatal(err)
	}
	// controller-runtime adds these to what a reconciler logs, and zap the message.
	logged := []string{"controllerKind", "namespace", "name", "msg"}
	for _, key := range regexp.MustCompile(`"([a-z]+)", `).FindAllStringSubmatch(string(source), -1) {
		logged = append(logged, key[1])
	}
	phases := []string{string(v1alpha1.PhaseRolledBack)}
	for name, policy := range policies(t) {
		for _, c := range policy.GetConditions() {
			filter := c.GetConditionMatchedLog().GetFilter()
			if filter == "" {
				continue
			}
			taken := strings.Join(slices.Collect(maps.Values(c.GetConditionMatchedLog().GetLabelExtractors())), " ")
			for _, used := range fieldsUsed.FindAllStringSubmatch(filter+" "+taken, -1) {
				if !slices.Contains(logged, used[1]) {
					t.Errorf("%s looks at %s, which is not logged", name, used[1])
				}
			}
			if said := messageIs.FindStringSubmatch(filter); !strings.Contains(string(source), `"`+said[1]+`"`) {
				t.Errorf("%s waits for %q, which nobody says", name, said[1])
			}
			if phase := phaseIs.FindStringSubmatch(filter); phase != nil && !slices.Contains(phases, phase[1]) {
				t.Errorf("%s waits for the phase %s", name, phase[1])
			}
			if policy.GetAlertStrategy().GetNotificationRateLimit() == nil {
				t.Errorf("%s has no limit of its notifications, which the API wants of a policy of logs", name)
			}
		}
	}
}

func TestEveryPolicyNamesAGuideThatIsThere(t *testing.T) {
	t.Parallel()
	for name, policy := range policies(t) {
		found := guide.FindStringSubmatch(policy.GetDocumentation().GetContent())
		if found == nil {
			t.Errorf("%s names no guide", name)
			continue
		}
		if _, err := os.Stat(filepath.Join("../..", found[1])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
