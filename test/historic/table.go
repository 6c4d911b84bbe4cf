package historic

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Table is the document's table of bugs, and the list of incidents without a
// counterpart.
func Table(incidents []Incident, results []Result) string {
	var text strings.Builder
	text.WriteString("| Incident | Source | Changed here | Found by | Reported | After | Time |\n|---|---|---|---|---|---|---|\n")
	for _, i := range incidents {
		for _, r := range results {
			if r.Bug.Incident == i.ID {
				fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s | %s |\n", i.What, i.Source, r.Bug.Change, foundBy(r.Bug.Detector),
					reported(r), r.After(), r.Took.Round(100*time.Millisecond))
			}
		}
	}
	text.WriteString("\n| Incident | Source | Why it has no counterpart here |\n|---|---|---|\n")
	for _, i := range incidents {
		if i.Absent != "" {
			fmt.Fprintf(&text, "| %s | %s | %s |\n", i.What, i.Source, i.Absent)
		}
	}
	return text.String()
}

func foundBy(d Detector) string { return "`" + d.String() + "`" }

// reported is the invariant that was reported, or the test.
func reported(r Result) string {
	if r.Err != nil {
		return "**not found**"
	}
	return strings.ReplaceAll(r.Bug.Breaks, "|", "\\|")
}

// Summary says how many bugs were found, by what, and how soon.
func Summary(results []Result) string {
	found, efforts := map[string]int{}, map[string][]int{}
	all := 0
	for _, r := range results {
		if r.Err == nil {
			name := r.Bug.Detector.Name
			found[name], efforts[name], all = found[name]+1, append(efforts[name], r.Finding.Effort), all+1
		}
	}
	return fmt.Sprintf("%d of %d bugs found: %d by the explorer, %s; %d by the simulation, %s; %d by the crash matrix, %s; %d by tests.",
		all, len(results), found["explorer"], spread(efforts["explorer"], "states"), found["simulation"], spread(efforts["simulation"], "seeds"),
		found["crashmatrix"], spread(efforts["crashmatrix"], "cells"), found["test"])
}

// spread is the median and the largest of some numbers.
func spread(numbers []int, of string) string {
	if len(numbers) == 0 {
		return "none"
	}
	slices.Sort(numbers)
	return fmt.Sprintf("after %d %s in the median, %d at most", numbers[len(numbers)/2], of, numbers[len(numbers)-1])
}

// Unlisted are the incidents that have neither a bug nor a reason, or that are there twice,
// and the bugs whose incident is not in the ledger.
func Unlisted(incidents []Incident, bugs []Bug) []string {
	var unlisted []string
	ids := map[string]bool{}
	for _, i := range incidents {
		if ids[i.ID] {
			unlisted = append(unlisted, i.ID+" is in the ledger twice")
		}
		ids[i.ID] = true
		has := slices.ContainsFunc(bugs, func(b Bug) bool { return b.Incident == i.ID })
		if has == (i.Absent != "") {
			unlisted = append(unlisted, fmt.Sprintf("%s must have either a bug or a reason why it has none", i.ID))
		}
	}
	for _, b := range bugs {
		if !slices.ContainsFunc(incidents, func(i Incident) bool { return i.ID == b.Incident }) {
			unlisted = append(unlisted, fmt.Sprintf("bug %s is of incident %s, which the ledger does not have", b.Name, b.Incident))
		}
	}
	return unlisted
}
