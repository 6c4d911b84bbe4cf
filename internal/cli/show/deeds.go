package show

import (
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// deeds writes what a person can do.
func (s Screen) deeds(ro *v1alpha1.CloudRunRollout) string {
	var text strings.Builder
	for _, d := range view.Deeds(ro) {
		text.WriteString("  " + d.Command + "\n" + s.wrap("      ", d.Does))
	}
	return text.String()
}
