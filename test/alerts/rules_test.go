package alerts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const (
	rulesFile = "../../config/prometheus/rules.yaml"
	testsFile = "../../config/prometheus/rules_test.yaml"
	runbooks  = "../../docs/runbooks"
	published = "https://github.com/sluice-rollouts/sluice/blob/main/docs/runbooks/"
)

// leads is where the links of an alert lead: to its rollout on the board, which knows it
// by these variables, and to its service in the console.
var leads = map[string]string{
	"dashboard_url": "https://grafana.example/d/sluice-rollouts?var-namespace={{ $labels.namespace }}&var-name={{ $labels.name }}",
	"console_url":   "https://console.cloud.google.com/run/detail/{{ $labels.region }}/{{ $labels.service }}/",
}

type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

// expectations are those of promtool.
type expectations struct {
	Tests []struct {
		Rules []struct {
			Name  string `json:"alertname"`
			Fires []any  `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// rules are all rules of the file, alerts those of them that alert.
func rules(t *testing.T) (all, alerts []rule) {
	t.Helper()
	var file ruleFile
	read(t, rulesFile, &file)
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	alerts = slices.DeleteFunc(slices.Clone(all), func(r rule) bool { return r.Alert == "" })
	if len(alerts) == 0 {
		t.Fatal("there are no alerts")
	}
	return all, alerts
}

func TestAlertsFireWhenTheyShouldAndNotBefore(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "rules", rulesFile)
	promtool(t, "test", "rules", testsFile)
}

func TestEachAlertIsExpectedOnceAndExpectedNotToFireOnce(t *testing.T) {
	t.Parallel()
	var file expectations
	read(t, testsFile, &file)
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, r := range test.Rules {
			fires[r.Name] = fires[r.Name] || len(r.Fires) > 0
			silent[r.Name] = silent[r.Name] || len(r.Fires) == 0
		}
	}
	_, alerts := rules(t)
	for _, r := range alerts {
		if !fires[r.Alert] {
			t.Errorf("nothing shows that %s fires", r.Alert)
		}
		if r.For != "" && !silent[r.Alert] {
			t.Errorf("nothing shows that %s waits for %s", r.Alert, r.For)
		}
	}
}

// TestWhoeverIsWokenIsToldWhatToDo: a severity, sentences, and a runbook that the
// alert leads to.
func TestWhoeverIsWokenIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	index, err := os.ReadFile(filepath.Join(runbooks, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, alerts := rules(t)
	for _, r := range alerts {
		severity := r.Labels["severity"]
		if severity != "page" && severity != "ticket" {
			t.Errorf("%s has the severity %q", r.Alert, severity)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s does not say what is wrong", r.Alert)
		}
		if want := published + r.Alert + ".md"; r.Annotations["runbook_url"] != want {
			t.Errorf("%s leads to %q, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
		for _, link := range []string{"dashboard_url", "console_url"} {
			if got := r.Annotations[link]; !strings.HasPrefix(got, leads[link]) {
				t.Errorf("the %s of %s is %q, want %s and so on", link, r.Alert, got, leads[link])
			}
		}
		book, err := os.ReadFile(filepath.Join(runbooks, r.Alert+".md"))
		if want := fmt.Sprintf("# %s\n\nSeverity: %s.\n", r.Alert, severity); err != nil || !strings.HasPrefix(string(book), want) {
			t.Errorf("the runbook of %s does not begin with %q (%v)", r.Alert, want, err)
		}
		if line := fmt.Sprintf("| [%s](%s.md) | %s |", r.Alert, r.Alert, severity); !strings.Contains(string(index), line) {
			t.Errorf("the list of runbooks has no line %s", line)
		}
	}
	books, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	if err != nil || len(books) != len(alerts)+1 {
		t.Errorf("%d runbooks beside the list, want %d (%v)", len(books)-1, len(alerts), err)
	}
}
