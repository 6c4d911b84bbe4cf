package show

import (
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// head says what is, since when, why, and what happens next: the template of every
// message of Sluice.
func (s Screen) head(ro *v1alpha1.CloudRunRollout) string {
	mark := s.Mark(ro)
	line := strings.TrimSpace(mark.Sign+" "+view.Name(ro)) + "  " + s.Headline(ro)
	var text strings.Builder
	text.WriteString(s.painted(mark.Tone, line) + "\n" + s.wrap("  ", s.Cause(ro)+"."))
	if next := s.Next(ro); next != "" {
		text.WriteString(s.wrap("  Next: ", next))
	}
	return text.String() + s.doubts("  Note: ", ro)
}

// doubts writes what makes the status less than the whole truth, each behind a margin.
func (s Screen) doubts(margin string, ro *v1alpha1.CloudRunRollout) string {
	var text strings.Builder
	for _, doubt := range s.Doubts(ro) {
		text.WriteString(s.wrap(margin, doubt))
	}
	return text.String()
}
