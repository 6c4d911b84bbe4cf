package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/controllers"
)

const (
	shopAccount = "shop@acme-prod.iam.gserviceaccount.com"
	bankAccount = "bank@acme-prod.iam.gserviceaccount.com"
)

// reachOf is what rollouts may touch, in front of APIs that are not there, being tidied.
func reachOf(t *testing.T) *reach {
	t.Helper()
	const nowhere = "http://127.0.0.1:1"
	o := options{cloudRun: nowhere, monitoring: nowhere, compute: nowhere, vpcAccess: nowhere, iam: nowhere, reads: 300}
	own, err := connect(t.Context(), o, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := newReach(own, controllers.NewCollector(nil, clock.RealClock{}, own.run.Refused), &rest.Config{Host: nowhere}, o)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.Start(t.Context()) }()
	t.Cleanup(func() { // within the bubble, whose goroutines have to end
		_ = own.answers.Close()
		for _, one := range r.lent {
			_ = one.answers.Close()
		}
	})
	return r
}

// TestWhatNobodyUsesIsClosed, an account after the other, and is opened anew for who needs
// it again. The manager's own stays.
func TestWhatNobodyUsesIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := reachOf(t)
		own := lend(t, r, t.Context(), "")
		pass, end := context.WithCancel(t.Context())
		shop := lend(t, r, pass, shopAccount)
		end()
		time.Sleep(idleFor - tidyEvery)
		pass, end = context.WithCancel(t.Context())
		bank := lend(t, r, pass, bankAccount)
		end()
		if got := lend(t, r, ended(t), bankAccount); got.run != bank.run {
			t.Error("an account has two sets of clients")
		}
		time.Sleep(2 * tidyEvery)
		if isOpen(r, shopAccount) || !isOpen(r, bankAccount) {
			t.Errorf("open are %v", r.lent)
		}
		if err := shop.answers.Close(); err == nil {
			t.Error("its connection was not closed")
		}
		time.Sleep(idleFor)
		if isOpen(r, bankAccount) {
			t.Error("the second one is not closed")
		}
		if again := lend(t, r, ended(t), shopAccount); again.run == shop.run {
			t.Error("what was closed is used again")
		}
		time.Sleep(10 * idleFor)
		if got := lend(t, r, t.Context(), ""); got.run != own.run {
			t.Error("the manager's own clients were closed")
		}
	})
}

// TestWhatACallUsesIsNotClosed, however long it takes, nor in the time after it in which
// calls may go on that nobody waits for.
func TestWhatACallUsesIsNotClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := reachOf(t)
		first, endFirst := context.WithCancel(t.Context())
		second, endSecond := context.WithCancel(t.Context())
		shop := lend(t, r, first, shopAccount)
		lend(t, r, second, shopAccount)
		lend(t, r, second, shopAccount) // a pass asks for each call
		endFirst()
		time.Sleep(10 * idleFor)
		if !isOpen(r, shopAccount) {
			t.Fatal("closed under a call")
		}
		endSecond()
		time.Sleep(idleFor - tidyEvery)
		if got := lend(t, r, ended(t), shopAccount); got.run != shop.run {
			t.Error("closed just after a call")
		}
		time.Sleep(idleFor + tidyEvery)
		if isOpen(r, shopAccount) {
			t.Error("not closed when all calls had ended")
		}
	})
}

// lend asks for the clients of an account, as a pass does.
func lend(t *testing.T, r *reach, ctx context.Context, account string) clients { //nolint:revive // it is the test's, and whose pass it is
	t.Helper()
	c, err := r.of(ctx, account)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// isOpen tells whether the clients of an account are, once nothing moves.
func isOpen(r *reach, account string) bool {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.lent[account]
	return known
}

// ended is the context of a pass that is over.
func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	end()
	return ctx
}
