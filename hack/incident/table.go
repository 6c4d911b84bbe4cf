package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is what a person reads.
type table struct {
	title  string
	header []string
	rows   [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// write writes it in columns.
func (t *table) write(out io.Writer) {
	_, _ = fmt.Fprintf(out, "\n%s\n\n", t.title)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, cells := range append([][]string{t.header}, t.rows...) {
		_, _ = fmt.Fprintln(w, "  "+strings.Join(cells, "\t"))
	}
	_ = w.Flush()
}
