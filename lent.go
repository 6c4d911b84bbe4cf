package main

import (
	"context"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// idleFor is how long the clients of an account are kept that nobody uses. Every
	// rollout is looked at within minutes: what is not used for so long, no CloudRunAccess
	// names for a rollout. It is many times as long as any call may take, those too that
	// go on when nobody waits for them any more.
	idleFor = 15 * time.Minute
	// tidyEvery is how often they are looked for.
	tidyEvery = time.Minute
)

// lent are the clients of an account, with who uses them.
type lent struct {
	clients

	users int
	since time.Time // when the last one ended
}

// of are the clients of an account, which are open for as long as the context of whoever
// asks.
func (r *reach) of(ctx context.Context, account string) (clients, error) {
	if account == "" {
		return r.own, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	one, known := r.lent[account]
	if !known {
		opened, err := r.opened(ctx, account)
		if err != nil {
			return clients{}, err
		}
		one = &lent{clients: opened}
		r.lent[account] = one
	}
	one.users++
	context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		one.users--
		one.since = r.clock.Now()
	})
	return one.clients, nil
}

// opened makes the clients of an account.
func (r *reach) opened(ctx context.Context, account string) (clients, error) {
	if r.own.bureau == nil {
		return clients{}, fmt.Errorf("no token of %s can be had: APIs are on this machine, and --%s is not set", account, iamFlag)
	}
	// They outlive the pass that is the first to need them.
	c, err := r.own.as(context.WithoutCancel(ctx), r.own.bureau.Of(account))
	if err != nil {
		return clients{}, fmt.Errorf("opening Google's APIs as %s: %w", account, err)
	}
	return r.complete(c), nil
}

// tidy closes the clients of accounts that nobody has used for long. Should one be needed
// again it is opened anew.
func (r *reach) tidy() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for account, one := range r.lent {
		if one.users > 0 || r.clock.Since(one.since) < idleFor {
			continue
		}
		delete(r.lent, account)
		r.own.bureau.Forget(account)
		log := ctrl.Log.WithName("identities").WithValues("account", account)
		if err := one.answers.Close(); err != nil {
			log.Info("The connection to Cloud Monitoring could not be closed", "cause", err.Error())
			continue
		}
		log.V(1).Info("What was open as an account that nobody uses is closed")
	}
}

// Start implements manager.Runnable: it tidies until the manager ends.
func (r *reach) Start(ctx context.Context) error {
	ticker := r.clock.NewTicker(tidyEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
			r.tidy()
		}
	}
}
