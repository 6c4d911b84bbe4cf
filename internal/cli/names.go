package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// names completes the name of a rollout.
func (a *app) names(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	src, namespace, err := a.open()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	rollouts, err := src.List(cmd.Context(), namespace)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, ro := range rollouts {
		if strings.HasPrefix(ro.Name, begun) {
			names = append(names, ro.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
