package dashboard

import (
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/internal/view"
)

// TestFurtherLinksAreShownWhileThereIsRoom, what a rollout was judged by always, and nothing
// that leads to a page without TLS.
func TestFurtherLinksAreShownWhileThereIsRoom(t *testing.T) {
	t.Parallel()
	long := "https://console.example/" + strings.Repeat("q", 3_000)
	var all []view.Link
	for range 4 {
		all = append(all, view.Link{Name: "judged", URL: long}, view.Link{Name: "further", URL: long, Further: true})
	}
	all = append(all, view.Link{Name: "open", URL: "http://console.example/"})
	shown := func(links []view.Link) (names string, more bool) {
		kept, more := linked(links)
		all := make([]string, 0, len(kept))
		for _, l := range kept {
			all = append(all, l.Name)
		}
		return strings.Join(all, " "), more
	}
	if names, more := shown(all); names != "judged further judged further judged further judged" || !more {
		t.Errorf("shown are %s, and more there are: %v", names, more)
	}
	if names, more := shown(all[:2]); names != "judged further" || more {
		t.Errorf("shown are %s, and more there are: %v", names, more)
	}
}
