package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// held and baking are states of one attempt that take turns; began tells of one at a minute.
func held(cause string) News {
	return News{UID: "7f", Namespace: "shop", Name: "web", Attempt: 3, Phase: "Held", Reason: "MetricsUnavailable", Step: "2/4", Weight: "25%", Candidate: "web-2", Cause: cause, Passing: true, Warning: true}
}

func baking() News {
	n := held("")
	n.Phase, n.Reason, n.Warning = "Baking", "Progressing", false
	return n
}

func (n News) began(minute int) News {
	n.At = threeInTheMorning.Add(time.Duration(minute) * time.Minute)
	return n
}

// heard tells what was told at which minutes since the beginning.
func heard(t *testing.T, minutes int, at func(minute int) []News) (told []string, s *Sender) {
	t.Helper()
	p := &place{}
	quick := oncall(Slack, All)
	_, s = plays(t, p, []Sink{quick}, func(s *Sender) {
		n := 0
		for minute := range minutes {
			time.Sleep(time.Minute / 2) // of told time: nothing is due as a minute ends
			for _, news := range at(minute) {
				s.Tell(news)
			}
			time.Sleep(time.Minute / 2)
			for _, body := range p.since(&n) {
				_, text, _ := strings.Cut(body, "*shop/web* ")
				reason, _, _ := strings.Cut(text, " ")
				line := fmt.Sprintf("%d %s", minute, reason)
				if _, left, ok := strings.Cut(body, "since the last message:_ "); ok {
					line += " after " + strings.TrimSuffix(left, `"}`)
				}
				told = append(told, line)
			}
		}
	})
	return told, s
}

// since are the bodies that arrived after so many.
func (p *place) since(n *int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := slices.Clone(p.bodies[*n:])
	*n = len(p.bodies)
	return fresh
}

// TestWhatComesAndGoesIsToldOnceInTenMinutes: a hold that takes turns with progress each
// minute is two messages in ten minutes and not ten, and nobody is left with the wrong one
// of the two: what lasts is told, with how many changes were not.
func TestWhatComesAndGoesIsToldOnceInTenMinutes(t *testing.T) {
	t.Parallel()
	turns := func(until int) func(int) []News {
		return func(minute int) []News {
			switch {
			case minute >= until:
				return nil
			case minute%2 == 0:
				return []News{held("errors: NoData").began(minute)}
			}
			return []News{baking().began(minute)}
		}
	}
	for name, c := range map[string]struct {
		turns   int
		minutes int
		want    string
	}{
		"once":                       {1, 40, "0 MetricsUnavailable"},
		"and is over":                {2, 40, "0 MetricsUnavailable, 1 Progressing"},
		"comes back, and lasts":      {3, 40, "0 MetricsUnavailable, 1 Progressing, 10 MetricsUnavailable after 1"},
		"comes back, and is over":    {4, 40, "0 MetricsUnavailable, 1 Progressing, 11 Progressing after 2"},
		"goes on for half an hour":   {30, 60, "0 MetricsUnavailable, 1 Progressing, 10 MetricsUnavailable after 8, 11 Progressing, 20 MetricsUnavailable after 8, 21 Progressing, 31 Progressing after 8"},
		"goes on until it is looked": {9, 9, "0 MetricsUnavailable, 1 Progressing"},
	} {
		told, s := heard(t, c.minutes, turns(c.turns))
		if got := strings.Join(told, ", "); got != c.want {
			t.Errorf("%s: told\n%s, want\n%s", name, got, c.want)
		}
		out, sentOnce := testutil.ToFloat64(s.counter.WithLabelValues("oncall", suppressed)), testutil.ToFloat64(s.counter.WithLabelValues("oncall", sent))
		if int(sentOnce) != len(told) || int(out) < c.turns-len(told) {
			t.Errorf("%s: %v sent and %v suppressed of %d", name, sentOnce, out, c.turns)
		}
	}
}

// TestWhatIsWorseIsToldAtOnce, however often the rollout came and went before: another
// cause, more users on the candidate, another attempt, what calls for a person, and every
// end.
func TestWhatIsWorseIsToldAtOnce(t *testing.T) {
	t.Parallel()
	changed := func(change func(*News)) News {
		n := held("errors: NoData")
		change(&n)
		return n
	}
	for name, n := range map[string]News{
		"another cause":      held("errors: Breach"),
		"one more cause":     held("errors: NoData; nat-drops: Breach"),
		"at another weight":  changed(func(n *News) { n.Step, n.Weight = "3/4", "50%" }),
		"another attempt":    changed(func(n *News) { n.Attempt++ }),
		"another rollout":    changed(func(n *News) { n.UID = "80" }),
		"a call for someone": changed(func(n *News) { n.Passing = false }),
		"a way back":         changed(func(n *News) { n.Phase, n.Reason, n.Passing = "RollingBack", "RollingBack", false }),
		"a rollback":         changed(func(n *News) { n.Phase, n.Reason, n.Passing = "RolledBack", "RolledBack", false }),
	} {
		told, _ := heard(t, 30, func(minute int) []News {
			switch minute {
			case 0, 2:
				return []News{held("errors: NoData").began(minute)}
			case 1:
				return []News{baking().began(minute)}
			case 3, 4: // and once more
				return []News{n.began(minute)}
			}
			return nil
		})
		if len(told) < 3 || !strings.HasPrefix(told[2], "3 "+n.Reason) {
			t.Errorf("%s: told %q", name, told)
			continue
		}
		want := 4 // what was at the third minute lasts, or is told each time
		if n.UID != held("").UID {
			want = 5 // the first rollout is still held
		}
		if len(told) != want {
			t.Errorf("%s: told %q, want %d messages", name, told, want)
		}
	}
}

// TestNothingIsToldOfAHoldThatIsOver: the rollback that came meanwhile is the last word.
func TestNothingIsToldOfAHoldThatIsOver(t *testing.T) {
	t.Parallel()
	told, s := heard(t, 60, func(minute int) []News {
		switch minute {
		case 0, 2:
			return []News{held("errors: NoData").began(minute)}
		case 1:
			return []News{baking().began(minute)}
		case 3:
			n := rolledBack()
			n.At = threeInTheMorning.Add(3 * time.Minute)
			return []News{n}
		}
		return nil
	})
	if got, want := strings.Join(told, ", "), "0 MetricsUnavailable, 1 Progressing, 3 RolledBack after 1"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	s.flaps.forget(threeInTheMorning.AddDate(100, 0, 0))
	if len(s.flaps) > 0 {
		t.Errorf("of what is long over something is kept: %v", s.flaps)
	}
}

// TestWhatWasLeftOutIsCountedInTheMessage, for machines too, and not where nothing was.
func TestWhatWasLeftOutIsCountedInTheMessage(t *testing.T) {
	t.Parallel()
	for left, want := range map[int]string{0: "", 7: `"leftOut":7`} {
		n := held("").began(0)
		n.LeftOut = left
		sink := oncall(CloudEvents, All)
		b, err := sink.bodyFor(n)
		if err != nil || !strings.Contains(string(b.bytes), want) || left == 0 && strings.Contains(string(b.bytes), "leftOut") {
			t.Errorf("of %d the body says %s: %v", left, b.bytes, err)
		}
	}
}
