package plan

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/hours"
)

// Calendar is when a rollout begins and ends whose traffic rises in windows alone.
type Calendar struct {
	Windows []v1alpha1.Window
	// Zone is the windows' time zone; UTC where they have several.
	Zone *time.Location
	// Asked is when it is planned, and Begins when a window is open, from then on. Ends
	// is when it is done at the earliest; zero where it waits for room before.
	Asked, Begins, Ends time.Time
	read                []hours.Window
}

// newCalendar reads windows that lint has checked; nil where there are none.
func newCalendar(windows []v1alpha1.Window, now time.Time) *Calendar {
	if len(windows) == 0 {
		return nil
	}
	c := &Calendar{Windows: windows, Zone: time.UTC, Asked: now}
	for _, w := range windows {
		if window, err := hours.ParseWindow(w.Schedule, lengthOf(w.Duration), w.TimeZone); err == nil {
			c.read = append(c.read, window)
		}
	}
	if zone, err := time.LoadLocation(windows[0].TimeZone); err == nil && oneZone(windows) {
		c.Zone = zone
	}
	c.Begins = now.Add(c.wait(now))
	return c
}

// wait is how long after a time the traffic may rise: 0 in a window. A manager judges it
// by the same hours.
func (c *Calendar) wait(at time.Time) time.Duration {
	if c == nil {
		return 0
	}
	now := hours.At(c.read, nil, at)
	if !now.Shut {
		return 0
	}
	return max(0, now.Opens.Sub(at))
}

// opens is when a step rises that must wait for a window, so long after the beginning;
// the zero time of one that need not.
func (c *Calendar) opens(since time.Duration) time.Time {
	if c == nil || c.wait(c.Begins.Add(since)) == 0 {
		return time.Time{}
	}
	return c.Begins.Add(since + c.wait(c.Begins.Add(since)))
}

func oneZone(windows []v1alpha1.Window) bool {
	for _, w := range windows {
		if w.TimeZone != windows[0].TimeZone {
			return false
		}
	}
	return true
}

// clock writes a time in the windows' zone, with the day and the offset from UTC.
func (c *Calendar) clock(t time.Time) string {
	return t.In(c.Zone).Format("Mon 2006-01-02 15:04Z07:00")
}

// text says when the windows are open, and what that means for a rollout that begins as
// soon as it may.
func (c *Calendar) text() string {
	var text strings.Builder
	text.WriteString("\nTraffic rises in these windows only, and a step that is ready outside of them waits for the next:\n")
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	for _, window := range c.Windows {
		_, _ = fmt.Fprintf(w, "  %s\tfor %s\t%s\n", window.Schedule, length(lengthOf(window.Duration)), window.TimeZone)
	}
	_ = w.Flush() // a builder does not fail
	if c.Begins.Equal(c.Asked) {
		fmt.Fprintf(&text, "One is open now, %s", c.clock(c.Asked))
	} else {
		fmt.Fprintf(&text, "None is open now, %s: the next opens %s", c.clock(c.Asked), c.clock(c.Begins))
	}
	if !c.Ends.IsZero() {
		fmt.Fprintf(&text, "; begun then, it is done %s at the earliest", c.clock(c.Ends))
	}
	text.WriteString(".\nNothing waits for a window to go back, and no RolloutFreeze is in a plan.\n")
	return text.String()
}
