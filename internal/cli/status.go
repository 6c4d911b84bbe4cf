package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-rollouts/sluice/internal/cli/show"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// status waits for the end of a rollout.
func (a *app) status() *cobra.Command {
	var wait standing.Wait
	var timeout time.Duration
	var watch bool
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Wait until a rollout has ended or needs a person, and say how by the exit code",
		Long: `Wait until a rollout has ended or needs a person, and say how by the exit code:
0 completed, or nothing to do; 1 rolled back, or stuck; 2 usage; 3 waits for a
person; 4 superseded by a newer revision; 5 the rollout could not be read; 124 still
under way when the time was over. What cannot be printed changes none of them.

What makes the status doubtful is said on standard error and changes no exit code: that
nobody has judged for a quarter of an hour what serves users, for one.

With --revision, which a pipeline knows from its deployment, it waits until that
revision was seen, and its own end counts.`,
		Example: `  kubectl sluice status web -n shop --revision web-00042-k8c --timeout 2h`,
		Args:    atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			src, name, err := a.named(cmd.Context(), args)
			if err != nil {
				return unread(err)
			}
			ctx, cancel := a.within(cmd.Context(), timeout)
			defer cancel()
			looks := many
			if !watch {
				looks = once
			}
			return unread(a.await(ctx, src, name, &wait, looks))
		},
	}
	cmd.ValidArgsFunction = a.names
	cmd.Flags().StringVar(&wait.Revision, "revision", "", "wait for this revision")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait, such as 2h; 0 for as long as it takes")
	cmd.Flags().BoolVarP(&watch, "watch", "w", true, "false looks once: what is under way exits with 124")
	return a.reads(cmd)
}

// looks is how often somebody who waits looks.
type looks int

const (
	many looks = iota
	once
)

// await prints each turn of a rollout until it has ended, and returns how.
func (a *app) await(ctx context.Context, src source.Source, name source.Name, wait *standing.Wait, l looks) error {
	printed := ""
	for ro, err := range src.Follow(ctx, name) {
		if err != nil {
			return err
		}
		outcome := wait.Look(ro)
		key, text, doubts := show.Turn(ro, a.screen())
		if key == printed {
			text, doubts = "", ""
		}
		printed = key
		over := outcome != standing.UnderWay || l == once
		if over {
			text += show.Ending(ro, outcome, wait.Revision)
		}
		a.say(text)
		a.warn(doubts)
		if over {
			return said(exitOf(outcome))
		}
		if errors.Is(a.mute, errUnheard) {
			return errUnheard // whom it waits for has left
		}
	}
	if err := ctx.Err(); err != nil && !timeUp(ctx) {
		return err
	}
	return exit{ExitTimeout, errTimeUp} // or a recording has ended
}
