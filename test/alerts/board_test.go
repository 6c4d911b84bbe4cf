package alerts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/test/board"
)

const boardFile = "../../config/grafana/rollouts.json"

// kinds are the panels that a Grafana without plugins and without Angular has.
var kinds = []string{"row", "stat", "table", "timeseries", "state-timeline", "bargauge", "text"}

func theBoard(t *testing.T) board.Board {
	t.Helper()
	b, err := board.Read(boardFile)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheBoardAsksForWhatIsTold(t *testing.T) {
	t.Parallel()
	queries, metrics := theBoard(t).Queries("shop", "web"), told(t)
	if len(queries) < 20 {
		t.Errorf("%d queries", len(queries))
	}
	for where, query := range queries {
		if missing := untold(query, metrics); len(missing) > 0 {
			t.Errorf("%s asks for %v, which nobody tells", where, missing)
		}
	}
}

// TestTheBoardsQueriesAreQueries lets promtool read each as the rule of a file.
func TestTheBoardsQueriesAreQueries(t *testing.T) {
	t.Parallel()
	var list []map[string]string
	for _, query := range theBoard(t).Queries("shop", "web") {
		list = append(list, map[string]string{"record": fmt.Sprintf("query:%d", len(list)), "expr": query})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "board", "rules": list}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "board.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

func TestTheBoardFitsEveryGrafana(t *testing.T) {
	t.Parallel()
	b := theBoard(t)
	if want := "/d/" + b.UID + "?"; b.UID == "" || !strings.Contains(leads["dashboard_url"], want) {
		t.Errorf("the alerts do not lead to %s", want)
	}
	ids := map[int]bool{}
	for _, p := range b.Panels {
		if !slices.Contains(kinds, p.Type) {
			t.Errorf("%s is a %s, which not every Grafana has", p.Title, p.Type)
		}
		if ids[p.ID] {
			t.Errorf("%s has the id of another panel", p.Title)
		}
		ids[p.ID] = true
		if p.Type != "row" && (p.Datasource == nil || p.Datasource.UID != "${datasource}") {
			t.Errorf("%s reads one data source and not the one that is chosen", p.Title)
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s asks for nothing", p.Title)
		}
	}
	var variables []string
	for _, v := range b.Templating.List {
		variables = append(variables, v.Name)
	}
	if want := []string{"datasource", "namespace", "name", "page"}; !slices.Equal(variables, want) {
		t.Errorf("variables %v, want %v", variables, want)
	}
}

// TestANumberAtTheTopIsZeroOnlyWhereAManagerIsScraped: without one nobody knows it, and
// a green zero would be believed.
func TestANumberAtTheTopIsZeroOnlyWhereAManagerIsScraped(t *testing.T) {
	t.Parallel()
	for _, p := range theBoard(t).Panels {
		const known = " or on () max(sluice_firewall_refused_total) * 0"
		if p.Type == "stat" && p.Title != "Managers" && !strings.HasSuffix(p.Targets[0].Expr, known) {
			t.Errorf("%s does not end with%s", p.Title, known)
		}
	}
}
