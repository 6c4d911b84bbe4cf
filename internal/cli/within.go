package cli

import (
	"context"
	"errors"
	"time"
)

// errTimeUp ends what was to be done within a time.
var errTimeUp = errors.New("still under way when the time was over")

// within is a context that ends with errTimeUp after a time; 0 for never.
func (a *app) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	limited, cancel := context.WithCancelCause(ctx)
	timer := a.Clock.NewTimer(d)
	go func() {
		defer timer.Stop()
		select {
		case <-timer.C():
			cancel(errTimeUp)
		case <-limited.Done():
		}
	}()
	return limited, func() { cancel(nil) }
}

// timeUp tells whether a context ended because its time was over.
func timeUp(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errTimeUp) }
