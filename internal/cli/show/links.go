package show

import (
	"slices"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// Links writes links, one each line.
func Links(links []view.Link) string {
	var rows [][]string
	for _, l := range links {
		address := l.URL
		if l.Note != "" {
			address += "  (" + l.Note + ")"
		}
		rows = append(rows, []string{l.Name, address})
	}
	if len(rows) == 0 {
		return "No service is named, so there is nothing to link to.\n"
	}
	return table(rows)
}

// nearest writes the links that show what a rollout was judged by, and how to see the
// others.
func nearest(ro *v1alpha1.CloudRunRollout, links []view.Link) string {
	further := func(l view.Link) bool { return l.Further }
	text := Links(slices.DeleteFunc(slices.Clone(links), further))
	if slices.ContainsFunc(links, further) {
		text += "charts and logs: kubectl sluice links " + view.Args(ro) + "\n"
	}
	return text
}
