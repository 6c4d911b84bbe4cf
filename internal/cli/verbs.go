package cli

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/request"
)

// patience is how long an answer, and then Cloud Run's confirmation, is waited for
// where --timeout does not say.
const patience = 2 * time.Minute

// The values of --dry-run.
const (
	dryRunNone   = "none"
	dryRunServer = "server"
)

// plea is a verb on the command line.
type plea struct {
	verb, reason, revision, dryRun string
	full, override, noWait         bool
	replace                        bool
	timeout                        time.Duration
}

// wrong says what is wrong with the command line, if anything is. An abort may go
// without a reason: nothing is to stand in its way.
func (p plea) wrong() error {
	if p.reason == "" && p.verb != v1alpha1.VerbAbort {
		return usagef("%s needs --reason: whoever comes after you will want to know", p.verb)
	}
	if !slices.Contains([]string{dryRunNone, dryRunServer}, p.dryRun) {
		return usagef("dry-run is none or server, not %q", p.dryRun)
	}
	return nil
}

// ask is what the manager shall read.
func (p plea) ask(by string) request.Ask {
	var modes []string
	if p.full {
		modes = append(modes, v1alpha1.ModeFull)
	}
	if p.override {
		modes = append(modes, v1alpha1.ModeOverride)
	}
	return request.Ask{Verb: p.verb, Modes: modes, Revision: p.revision, By: by, Reason: p.reason}
}

// verbs are the commands that ask for something.
func (a *app) verbs() []*cobra.Command {
	return []*cobra.Command{
		a.verb(v1alpha1.VerbApprove, "Pass one approval, or one step with too few requests; never a breach"),
		a.verb(v1alpha1.VerbPromote, "End this bake and go to the next weight; with --full to 100%"),
		a.verb(v1alpha1.VerbPause, "Let no weight rise until a resume; checks still roll back"),
		a.verb(v1alpha1.VerbResume, "Leave Paused; after somebody else's split, write ours again"),
		a.verb(v1alpha1.VerbAbort, "Send all traffic to stable now, in every phase, and give the candidate up"),
		a.verb(v1alpha1.VerbRetry, "Start a revision that was given up again, from the first step"),
		a.verb(v1alpha1.VerbUndo, "After the end, send all traffic back to the former stable revision"),
		a.verb(v1alpha1.VerbAdopt, "Take over a service that another cluster claims"),
	}
}

// verb is the command of one verb.
func (a *app) verb(verb, short string) *cobra.Command {
	p := plea{verb: verb}
	cmd := &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%s needs one NAME", verb)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.wrong(); err != nil {
				return err
			}
			return a.plead(cmd.Context(), args[0], p)
		},
	}
	cmd.ValidArgsFunction = a.names
	flags := cmd.Flags()
	flags.StringVar(&p.reason, "reason", "", "why, for whoever comes after you; needed but for abort")
	flags.StringVar(&p.dryRun, "dry-run", dryRunNone, "server: let the API server check the request, and ask for nothing")
	flags.BoolVar(&p.replace, "replace", false, "take the place of an abort that is not answered yet")
	flags.BoolVar(&p.noWait, "no-wait", false, "do not wait for the answer")
	flags.DurationVar(&p.timeout, "timeout", patience, "how long to wait for the answer, and for Cloud Run")
	switch verb {
	case v1alpha1.VerbPromote:
		flags.BoolVar(&p.full, "full", false, "go to 100% in one write; the last bake is still guarded")
		flags.BoolVar(&p.override, "override", false, "go past what the NAT gateways are known to have room for")
	case v1alpha1.VerbRetry, v1alpha1.VerbUndo:
		flags.StringVar(&p.revision, "revision", "", "this one, instead of the newest that it can mean")
	}
	return cmd
}
