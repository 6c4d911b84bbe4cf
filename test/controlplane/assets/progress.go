package assets

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// heartbeat is how long somebody watches a silent terminal before they wonder.
const heartbeat = 10 * time.Second

// progress tells a person what takes time, a line at a time.
type progress struct {
	mu    sync.Mutex
	out   io.Writer
	every time.Duration
	start time.Time
}

func newProgress(out io.Writer) *progress {
	if out == nil {
		out = io.Discard
	}
	return &progress{out: out, every: heartbeat, start: time.Now()}
}

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := time.Since(p.start)
	// Progress nobody can read is no reason to fail.
	_, _ = fmt.Fprintf(p.out, "control plane %d:%02d  %s\n",
		int(elapsed.Minutes()), int(elapsed.Seconds())%60, fmt.Sprintf(format, args...))
}

// working says line every heartbeat until done is called.
func (p *progress) working(line func() string) (done func()) {
	stop := make(chan struct{})
	var beat sync.WaitGroup
	beat.Go(func() {
		tick := time.NewTicker(p.every)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				p.say("%s", line())
			}
		}
	})
	return func() {
		close(stop)
		beat.Wait()
	}
}
