package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/cli/show"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// Env is the world around the commands.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	Clock    clock.Clock
	// Width is how many columns the terminal has, 0 where there is none.
	Width int
	// Terminal tells whether somebody looks at the output: then a watch draws over
	// itself. Paint tells whether colours are welcome there.
	Terminal, Paint bool
	// Version is what kubectl sluice version says.
	Version string
}

// app is one run of the program.
type app struct {
	Env
	flags   *genericclioptions.ConfigFlags
	file    string
	console string
	// reach is how long the API server may take to read a rollout and to write a request.
	reach time.Duration
	// introduced is how much of it the API server may take to say who asks.
	introduced time.Duration
	// mute is why what goes with an answer could not be written; nil where it could.
	mute error
}

// reachable is reach where no test says otherwise.
const reachable = 30 * time.Second

// Run carries out a command line and returns the code to exit with.
func Run(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, errSaid) {
		root.PrintErrln("error:", err)
	}
	code := codeOf(err)
	if code == ExitUsage {
		root.PrintErrln("See kubectl sluice --help.")
	}
	return code
}

// Command is the tree of commands.
func Command(env Env) *cobra.Command {
	a := &app{Env: env, flags: genericclioptions.NewConfigFlags(true), reach: reachable, introduced: introduced}
	root := &cobra.Command{
		Use:   "kubectl-sluice",
		Short: "See and steer rollouts of Cloud Run services",
		Long: `See and steer rollouts of Cloud Run services.

Exit codes: 0 done; 1 it is not so (rolled back, stuck, refused, not valid) or an
error; 2 usage; 3 a rollout waits for a person; 4 superseded by a newer revision;
5 of status: the rollout could not be read; 124 still under way when the time was
over; 130 interrupted; 141 nobody reads what it prints any more.`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl sluice"},
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q", args[0])
			}
			return cmd.Help()
		},
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit{ExitUsage, err} })
	a.flags.AddFlags(root.PersistentFlags())
	root.AddCommand(a.list(), a.get(), a.status(), a.why(), a.timeline(), a.doctor(), a.links(), a.dashboard(), a.lint(), a.plan(), a.version())
	root.AddCommand(a.verbs()...)
	return root
}

// screen is what text is written for, now.
func (a *app) screen() show.Screen {
	return show.Screen{Reader: view.Reader{Now: a.Clock.Now()}, Width: a.Width, Paint: a.Paint}
}

// print writes text for the reader. One who stopped reading ends the command without a
// word, as where a signal ends it.
func (a *app) print(text string) error {
	_, err := io.WriteString(a.Out, text)
	if errors.Is(err, syscall.EPIPE) {
		return errUnheard
	}
	return err
}

// say writes text beside something that does not depend on it: what a verb asks for, and
// how a rollout ends, are the same where nobody can read of them. The first time that it
// cannot be written is told on standard error.
func (a *app) say(text string) {
	err := a.print(text)
	if err == nil || a.mute != nil {
		return
	}
	a.mute = err
	if !errors.Is(err, errUnheard) {
		a.warn(fmt.Sprintf("Note: what is printed cannot be written: %v. The rest goes on, and the exit code is right.\n", err))
	}
}

// warn writes text that is no part of the answer, so that nothing depends on it.
func (a *app) warn(text string) { _, _ = io.WriteString(a.Err, text) }

// cluster connects to the cluster that the flags and the kubeconfig name.
func (a *app) cluster() (*source.Cluster, error) {
	config, err := a.flags.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return source.NewCluster(client, a.Clock), nil
}

// namespace is the one that the flags and the kubeconfig name.
func (a *app) namespace() (string, error) {
	namespace, _, err := a.flags.ToRawKubeConfigLoader().Namespace()
	return namespace, err
}
