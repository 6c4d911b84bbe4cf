package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/show"
)

// wipe moves to the upper left corner of a terminal and empties it.
const wipe = "\x1b[H\x1b[2J"

// get shows one rollout, and keeps showing it.
func (a *app) get() *cobra.Command {
	var watch bool
	var output string
	cmd := &cobra.Command{
		Use:   "get [NAME]",
		Short: "Show one rollout as a tree: service, revisions, steps, checks, gateways, history",
		Args:  atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			draw, err := a.drawing(output)
			if err != nil {
				return err
			}
			if watch {
				return a.watch(cmd.Context(), args, draw)
			}
			ro, err := a.one(cmd.Context(), args)
			if err != nil {
				return err
			}
			text, err := draw(ro)
			if err != nil {
				return err
			}
			return a.print(text)
		},
	}
	cmd.ValidArgsFunction = a.names
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it again each time that it changes, until interrupted")
	cmd.Flags().StringVarP(&output, "output", "o", "tree", "tree, json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"tree", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return a.reads(cmd)
}

// drawing is how an object is written.
type drawing func(*v1alpha1.CloudRunRollout) (string, error)

func (a *app) drawing(output string) (drawing, error) {
	switch output {
	case "tree":
		return func(ro *v1alpha1.CloudRunRollout) (string, error) { return show.Tree(ro, a.screen()), nil }, nil
	case "json":
		return func(ro *v1alpha1.CloudRunRollout) (string, error) {
			text, err := json.MarshalIndent(ro, "", "  ")
			return string(text) + "\n", err
		}, nil
	case "yaml":
		return func(ro *v1alpha1.CloudRunRollout) (string, error) {
			text, err := yaml.Marshal(ro)
			return string(text), err
		}, nil
	}
	return nil, usagef("output is tree, json or yaml, not %q", output)
}

// watch draws a rollout again and again: over itself on a terminal, one below the
// other elsewhere. A frame says when it was drawn, so that an old one is known.
func (a *app) watch(ctx context.Context, args []string, draw drawing) error {
	src, name, err := a.named(ctx, args)
	if err != nil {
		return err
	}
	for ro, err := range src.Follow(ctx, name) {
		if err != nil {
			return err
		}
		text, err := draw(ro)
		if err != nil {
			return err
		}
		before := "---\n"
		if a.Terminal {
			before = wipe
		}
		stamp := fmt.Sprintf("# at %s\n", a.Clock.Now().UTC().Format("15:04:05Z"))
		if err := a.print(before + stamp + text); err != nil {
			return err
		}
	}
	return ctx.Err()
}
