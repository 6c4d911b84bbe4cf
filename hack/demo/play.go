package main

import (
	"context"
	"fmt"
)

// leaveRunning slows the world down and waits until the user has seen enough.
func (s *stage) leaveRunning(ctx context.Context) error {
	if err := s.world.setSpeed(ctx, playSpeed); err != nil {
		return err
	}
	fmt.Printf(`
Everything goes on running, at %dx, until Ctrl-C. In another terminal:

  export KUBECONFIG=%s
  %s get crr
  %s describe crr graphql-api
  %s explain crr.spec.strategy.steps

Deploy another release and watch it:

  curl -s %s/deploy -d '{"service": %q, "image": %q}'
  %s get crr -w

Stop it (any new id makes it a new request):

  %s annotate --overwrite crr graphql-api request.rollouts.sluice.dev/id=1 \
    request.rollouts.sluice.dev/verb=abort request.rollouts.sluice.dev/reason=trying
`, playSpeed, s.kubeconfig, s.kubectl, s.kubectl, s.kubectl,
		s.world.url, service, images+"1.46.0", s.kubectl, s.kubectl)
	<-ctx.Done()
	return nil
}
