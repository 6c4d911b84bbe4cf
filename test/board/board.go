// Package board reads the Grafana board in config/grafana for those who hold its
// queries against something: the metrics that a manager tells, or a Prometheus that
// scrapes one.
package board

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Target is one query of a panel.
type Target struct{ Expr string }

// Source is where a panel's data come from.
type Source struct{ UID string }

// Panel is one panel of a board.
type Panel struct {
	ID          int
	Type, Title string
	Datasource  *Source
	Targets     []Target
}

// Variable is what a reader of a board may choose.
type Variable struct {
	Name, Type string
	Query      any
}

// Board is what is read of a board.
type Board struct {
	UID         string
	Panels      []Panel
	Templating  struct{ List []Variable }
	Annotations struct {
		List []struct{ Expr string }
	}
}

// Read reads a board's file.
func Read(file string) (Board, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Board{}, fmt.Errorf("reading the board: %w", err)
	}
	var b Board
	if err := json.Unmarshal(text, &b); err != nil {
		return Board{}, fmt.Errorf("reading the board %s: %w", file, err)
	}
	return b, nil
}

// Queries are all of a board, by where they are, with regular expressions for the
// namespaces and names that its reader chose.
func (b Board) Queries(namespace, name string) map[string]string {
	fill := strings.NewReplacer("$namespace", namespace, "$name", name)
	queries := map[string]string{}
	for _, p := range b.Panels {
		for i, target := range p.Targets {
			queries[fmt.Sprintf("%s, query %d", p.Title, i+1)] = fill.Replace(target.Expr)
		}
	}
	for i, a := range b.Annotations.List {
		queries[fmt.Sprintf("annotation %d", i+1)] = fill.Replace(a.Expr)
	}
	return queries
}
