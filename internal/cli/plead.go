package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/show"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
	"github.com/sluice-rollouts/sluice/internal/request"
)

// tries is how often a request is written on a newer version of a rollout, whose
// status the manager may write at any moment.
const tries = 5

// plead says what will happen, asks for it, and waits for the answer.
func (a *app) plead(ctx context.Context, arg string, p plea) error {
	namespace, err := a.namespace()
	if err != nil {
		return err
	}
	name, err := source.ParseName(arg, namespace)
	if err != nil {
		return exit{ExitUsage, err}
	}
	cluster, err := a.cluster()
	if err != nil {
		return err
	}
	reach, done := context.WithTimeout(ctx, a.reach)
	defer done()
	seen, err := cluster.Get(reach, name)
	if late(reach) {
		return exit{ExitTimeout, fmt.Errorf("the API server has not answered within %s, and nothing was asked for: %w", a.reach, err)}
	}
	if err != nil {
		return err
	}
	ask := a.announce(reach, seen, p)
	id, err := p.submit(reach, cluster, seen, ask)
	switch {
	case err != nil && late(reach):
		a.say(show.Unsent(seen, a.screen()))
		return exit{ExitTimeout, err}
	case err != nil:
		return err
	case p.dryRun == dryRunServer:
		a.say("The API server would take the request. Nothing was asked for (server dry run).\n")
		return nil
	case p.noWait:
		a.say("Asked for. See the answer with kubectl sluice get.\n")
		return nil
	}
	limited, cancel := a.within(ctx, p.timeout)
	defer cancel()
	return a.hear(limited, cluster, seen, id)
}

// announce finds out who asks, and says what the request will do.
func (a *app) announce(ctx context.Context, seen *v1alpha1.CloudRunRollout, p plea) request.Ask {
	by, unknown := a.caller(ctx)
	ask := p.ask(by)
	text := show.Asking(seen, ask, a.screen())
	if unknown != nil {
		text += show.Nameless(unknown, a.screen())
	}
	a.say(text)
	return ask
}

// late tells whether a context ended because its deadline passed, and not by a hand.
func late(ctx context.Context) bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) }

// over refuses to take the place of an abort that nobody has answered yet: whoever asked
// for it would never hear that it was lost.
func (p plea) over(seen *v1alpha1.CloudRunRollout) error {
	pending, ok := request.Pending(seen)
	if !ok || p.replace || p.verb == v1alpha1.VerbAbort || pending.Verb != v1alpha1.VerbAbort {
		return nil
	}
	return fmt.Errorf("an abort by %s is not answered yet, and %s would take its place: wait for the answer (kubectl sluice get), or write --replace",
		cmp.Or(pending.By, "somebody"), p.verb)
}

// submit writes a request on a rollout and returns its id. A newer version is
// looked at again: where the rollout stands as before, the request is meant for it
// too, and an abort always is.
func (p plea) submit(ctx context.Context, cluster *source.Cluster, seen *v1alpha1.CloudRunRollout, ask request.Ask) (string, error) {
	var dry []string
	if p.dryRun == dryRunServer {
		dry = []string{metav1.DryRunAll}
	}
	name := source.Name{Namespace: seen.Namespace, Name: seen.Name}
	for range tries {
		if err := p.over(seen); err != nil {
			return "", err
		}
		annotations := ask.Annotations(seen)
		err := cluster.Annotate(ctx, seen, annotations, dry...)
		if !errors.Is(err, source.ErrChanged) {
			return annotations[v1alpha1.RequestID], err
		}
		now, err := cluster.Get(ctx, name)
		if err != nil {
			return "", err
		}
		if ask.Verb != v1alpha1.VerbAbort && show.Place(now) != show.Place(seen) {
			return "", fmt.Errorf("%w: it was %s and is %s; nothing was asked for", source.ErrChanged, show.Place(seen), show.Place(now))
		}
		seen = now
	}
	return "", fmt.Errorf("%w, %d times in a row; nothing was asked for", source.ErrChanged, tries)
}

// hear waits for the answer, and after a verb that sends traffic back until Cloud
// Run confirms it. What is not confirmed ends with how to do it by hand.
func (a *app) hear(ctx context.Context, cluster *source.Cluster, seen *v1alpha1.CloudRunRollout, id string) error {
	name, asked := source.Name{Namespace: seen.Namespace, Name: seen.Name}, a.Clock.Now()
	ro, err := source.Answered(ctx, cluster, name, id)
	if errors.Is(err, source.ErrReplaced) {
		a.say(show.Replaced(ro, a.screen()))
		return said(ExitFailed)
	}
	if err != nil {
		a.say(show.Unheard(cmp.Or(ro, seen), a.screen()))
		return unheard(ctx, err)
	}
	answer := ro.Status.LastRequest
	a.say(show.Answer(answer, a.screen()))
	if answer.Result != v1alpha1.RequestAccepted {
		return said(ExitFailed)
	}
	if answer.Verb != v1alpha1.VerbAbort && answer.Verb != v1alpha1.VerbUndo {
		return nil
	}
	ro, err = source.Until(ctx, cluster, name, show.GoneBack)
	if err != nil {
		a.say(show.Unconfirmed(cmp.Or(ro, seen), a.screen()))
		return unheard(ctx, err)
	}
	a.say(show.Confirmed(ro, a.Clock.Since(asked)))
	return nil
}

// unheard is why there is no answer: most often because the time is over.
func unheard(ctx context.Context, err error) error {
	if timeUp(ctx) {
		return said(ExitTimeout)
	}
	return err
}
