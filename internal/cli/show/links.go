package show

import "github.com/sluice-rollouts/sluice/internal/view"

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
