package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// version says what this program is.
func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program and of the API that it speaks",
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			return a.print(fmt.Sprintf("kubectl sluice %s, %s\n", a.Version, v1alpha1.GroupVersion))
		},
	}
}
