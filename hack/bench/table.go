package main

import (
	"fmt"
	"strconv"
	"strings"
)

// table is a table of the report, in Markdown.
type table struct {
	title, intro string
	header       []string
	rows         [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t table) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "### %s\n\n", t.title)
	if t.intro != "" {
		fmt.Fprintf(&text, "%s\n\n", t.intro)
	}
	line := func(cells []string) { fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.header)
	line(strings.Split(strings.Repeat("---,", len(t.header)-1)+"---", ","))
	for _, r := range t.rows {
		line(r)
	}
	return text.String()
}

// String writes a share in percent with its interval: "0.02 (0.01-0.06)".
func (s share) String() string {
	return fmt.Sprintf("%.2f (%.2f-%.2f)", 100*s.value, 100*s.low, 100*s.high)
}

// brief writes it in percent without the interval: "0.02".
func (s share) brief() string { return fmt.Sprintf("%.2f", 100*s.value) }

// percent writes a share as short as it can be: "0.5 %".
func percent(ratio float64) string { return number(100*ratio) + " %" }

// number writes a number with at most four digits.
func number(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

// pair writes median and 95th percentile of an ascending list.
func pair(list []float64) string {
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f, %.0f", quantile(list, 0.5), quantile(list, 0.95))
}

// middle writes the median of an ascending list.
func middle(list []float64, unit string) string {
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f%s", quantile(list, 0.5), unit)
}
