// Package hours tells when rollouts may rise: within the windows that a plan names, and
// not while somebody has frozen them. It reads no clock.
//
// A window opens at each local time that its schedule names, in its own time zone, and
// stays open for its duration, which is elapsed time. Where clocks are put forward, a
// window whose beginning is skipped does not open that day; where they are put back, it
// opens at both of the equal times. So a window is never longer than written on the day
// on which an hour is missing, and never shorter on the day that has one more.
package hours

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the image has no time zones, nor has everybody's machine

	"github.com/robfig/cron/v3"
)

// Longest is how long a window may be open at once.
const Longest = 7 * 24 * time.Hour

// parser knows the five fields of cron and nothing else: no seconds, no @daily.
var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// Window is a span of time that comes again and again.
type Window struct {
	schedule cron.Schedule
	zone     *time.Location
	duration time.Duration
}

// ParseWindow reads a window: a schedule in five cron fields (minute, hour, date, month and
// day of the week), how long it is open from then on, 1m to [Longest], and an IANA time
// zone, in which "" is UTC. The error says what to write instead.
func ParseWindow(schedule string, duration time.Duration, zone string) (Window, error) {
	if strings.Contains(schedule, "=") {
		return Window{}, fmt.Errorf("schedule: write the time zone into timeZone, not into %q", schedule)
	}
	every, err := parser.Parse(schedule)
	if err != nil {
		return Window{}, fmt.Errorf(`schedule: write five cron fields, such as "0 9 * * 1-5" for nine o'clock from Monday to Friday, not %q: %w`, schedule, err)
	}
	if duration < time.Minute || duration > Longest {
		return Window{}, fmt.Errorf("duration: write 1m to %s, not %s", Longest, duration)
	}
	place, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return Window{}, fmt.Errorf("timeZone: write a name such as Asia/Tokyo or Etc/UTC, not %q", zone)
	}
	if every.Next(time.Unix(0, 0)).IsZero() {
		return Window{}, fmt.Errorf("schedule: there is no such day as in %q", schedule)
	}
	return Window{every, place, duration}, nil
}

// open tells whether the window is open at a time.
func (w Window) open(at time.Time) bool {
	began := w.next(at.Add(-w.duration))
	return !began.IsZero() && !began.After(at)
}

// next is the first opening after a time.
func (w Window) next(after time.Time) time.Time { return w.schedule.Next(after.In(w.zone)).UTC() }
