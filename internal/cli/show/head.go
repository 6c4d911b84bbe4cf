package show

import (
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// head says what is, since when, why, and what happens next: the template of every
// message of Sluice.
func (s Screen) head(ro *v1alpha1.CloudRunRollout) string {
	mark := view.MarkOf(standing.Of(ro))
	line := strings.TrimSpace(mark.Sign+" "+view.Name(ro)) + "  " + s.Headline(ro)
	var text strings.Builder
	text.WriteString(s.painted(mark.Tone, line) + "\n" + s.wrap("  ", view.Cause(ro)+"."))
	if next := ro.Status.NextAction; next != "" {
		text.WriteString(s.wrap("  Next: ", next))
	}
	for _, doubt := range s.Doubts(ro) {
		text.WriteString(s.wrap("  Note: ", doubt))
	}
	return text.String()
}
