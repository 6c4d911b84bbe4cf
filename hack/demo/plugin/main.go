// Command plugin is kubectl sluice as the demo has it: the same commands, living in the
// time of the demo's world. By this machine's clock, all that happens there would have
// happened days ago.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/cli"
	told "github.com/sluice-rollouts/sluice/internal/simulator/clock"
)

// world is where the demo's world tells the time; the linker sets it.
var world string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	now, err := told.Dial(ctx, world)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: the demo is over:", err)
		os.Exit(cli.ExitFailed)
	}
	env := cli.Env{In: os.Stdin, Err: os.Stderr, Clock: worldly{time: now}, Version: "demo"}
	code := cli.Run(ctx, cli.Command(env.For(os.Stdout)), os.Args[1:])
	stop()
	os.Exit(code)
}

// worldly tells the world's time, and waits in real time: nobody's patience is
// simulated.
type worldly struct {
	clock.RealClock
	time clock.PassiveClock
}

// Now implements clock.Clock.
func (w worldly) Now() time.Time { return w.time.Now() }

// Since implements clock.Clock.
func (w worldly) Since(then time.Time) time.Duration { return w.time.Since(then) }
