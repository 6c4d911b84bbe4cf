package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/show"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// list answers "is it my rollout?".
func (a *app) list() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List rollouts, one line each, the most urgent first",
		Long: `List rollouts, one line each, the most urgent first.

The sign before a line: ! somebody is needed, a check holds it, or nobody watches it;
< going back; ~ waits for the world; > under way; x rolled back; ? not seen yet. A
STATUS that is STALE is the last known one: users are on the candidate, and for so long
nothing was judged. LAST SHIFT is when the candidate's weight last changed; WHAT, on a
terminal below the line, names a check in breach and since when, or why it went back,
and says what happens next.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			src, namespace, err := a.open()
			if err != nil {
				return err
			}
			scope := show.OneNamespace
			if all || a.file != "" && namespace == "" {
				scope, namespace = show.AllNamespaces, ""
			}
			rollouts, err := src.List(cmd.Context(), namespace)
			if err != nil {
				return err
			}
			return a.print(show.List(rollouts, scope, a.screen()))
		},
	}
	cmd.Flags().BoolVarP(&all, "all-namespaces", "A", false, "in all namespaces")
	return a.reads(cmd)
}

// view is a command that reads one rollout and shows it.
func (a *app) view(cmd *cobra.Command, text func(*v1alpha1.CloudRunRollout) string) *cobra.Command {
	cmd.Args = atMostOne
	cmd.ValidArgsFunction = a.names
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ro, err := a.one(cmd.Context(), args)
		if err != nil {
			return err
		}
		return a.print(text(ro))
	}
	return a.reads(cmd)
}

// why answers "why did it roll back?", and why it stands.
func (a *app) why() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "why [NAME]",
		Short:             "Say why a rollout stands where it does: number, limit, rule, time, links",
		Args:              atMostOne,
		ValidArgsFunction: a.names,
		RunE: func(cmd *cobra.Command, args []string) error {
			src, name, err := a.named(cmd.Context(), args)
			if err != nil {
				return err
			}
			ro, err := src.Get(cmd.Context(), name)
			if err != nil {
				return err
			}
			return a.print(show.Why(ro, around(cmd.Context(), src, ro), a.console, a.screen()))
		},
	}
	return a.linking(a.reads(cmd))
}

// around looks for the other rollouts: in all namespaces, or in this one where not all
// may be listed. What a file does not have may be there all the same.
func around(ctx context.Context, src source.Source, ro *v1alpha1.CloudRunRollout) show.Around {
	if len(ro.Status.Gateways) == 0 {
		return show.Around{}
	}
	all, err := src.List(ctx, "")
	if _, saved := src.(source.File); saved && err == nil {
		return show.Around{Others: all, Unknown: "only the file was read"}
	}
	if err == nil {
		return show.Around{Others: all}
	}
	some, err := src.List(ctx, ro.Namespace)
	if err != nil {
		return show.Around{Unknown: "they could not be listed"}
	}
	return show.Around{Others: some, Namespace: ro.Namespace}
}

// timeline is for the hand-over and for the document of an incident.
func (a *app) timeline() *cobra.Command {
	var since time.Duration
	cmd := a.view(&cobra.Command{
		Use:   "timeline [NAME]",
		Short: "Show what happened, in UTC, to paste into an incident's document",
	}, func(ro *v1alpha1.CloudRunRollout) string {
		s := a.screen()
		from := time.Time{}
		if since > 0 {
			from = s.Now.Add(-since)
		}
		return show.Timeline(ro, from, s)
	})
	cmd.Flags().DurationVar(&since, "since", 0, "how far back, such as 12h; 0 for all that the status remembers")
	return cmd
}

// doctor shows the advice.
func (a *app) doctor() *cobra.Command {
	return a.view(&cobra.Command{
		Use:   "doctor [NAME]",
		Short: "Show what a release of the service can suffer from, and the numbers that show it",
	}, func(ro *v1alpha1.CloudRunRollout) string { return show.Doctor(ro, a.screen()) })
}

// links shows where to look further.
func (a *app) links() *cobra.Command {
	cmd := a.view(&cobra.Command{
		Use:   "links [NAME]",
		Short: "Show links into the Google Cloud console, for the time of the newest step",
	}, func(ro *v1alpha1.CloudRunRollout) string { return show.Links(a.screen().Links(ro, a.console)) })
	return a.linking(cmd)
}

// linking lets a command be told where the console is.
func (a *app) linking(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&a.console, "console", view.Console, "address of the Google Cloud console")
	return cmd
}
