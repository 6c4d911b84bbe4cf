package monitoring

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkAnswer lets n rollouts of one project each make a pass, minute after
// minute. One iteration is a minute. It counts what goes over the wire in that
// minute, and the processor time of one pass, the test's server included.
func BenchmarkAnswer(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("rollouts=%d", n), func(b *testing.B) {
			c := &crowd{services: rolling(n)}
			s := c.server()
			client := start(b, s)
			minute := func(i int) {
				now := noon.Add(time.Duration(i) * time.Minute)
				for _, of := range c.services {
					if _, err := client.Answer(b.Context(), pass(of, now, 30*time.Minute), now); err != nil {
						b.Fatal(err)
					}
				}
			}
			minute(0) // in which nobody is known yet
			s.forget()
			c.pages.Store(0)
			c.bytes.Store(0)
			c.points.Store(0)
			c.read.Store(0)
			calls := 0
			before := processor(b)
			b.ResetTimer()
			for i := range b.N {
				minute(i + 1)
				for _, count := range s.calls() {
					calls += count
				}
				s.forget()
			}
			b.StopTimer()
			minutes := float64(b.N)
			b.ReportMetric(float64(calls)/minutes, "calls/min")
			b.ReportMetric(float64(c.pages.Load())/minutes, "pages/min")
			b.ReportMetric(float64(c.read.Load())/minutes, "series/min")
			b.ReportMetric(float64(c.points.Load())/minutes, "points/min")
			b.ReportMetric(float64(c.bytes.Load())/minutes/1024, "KiB/min")
			b.ReportMetric(float64((processor(b)-before).Microseconds())/minutes/float64(n), "cpu-µs/pass")
		})
	}
}

// processor is the processor time that this process has used.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
