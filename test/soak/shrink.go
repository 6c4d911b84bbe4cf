package soak

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/test/invariants"
)

// Shrink takes acts out of a script that breaks an invariant, as long as what is
// left breaks it too. A script that breaks none comes back as it is.
func Shrink(ctx context.Context, script Script) Script {
	wanted := broken(ctx, script)
	if len(wanted) == 0 {
		return script
	}
	for n := range slices.Backward(script.Releases) {
		less := script
		less.Releases = script.Releases[:n]
		if !breaks(ctx, less, wanted) {
			break
		}
		script = less
	}
	for {
		smaller, found := shrunk(ctx, script, wanted)
		if !found {
			return script
		}
		script = smaller
	}
}

// shrunk takes out as many acts as can go at once.
func shrunk(ctx context.Context, script Script, wanted []string) (Script, bool) {
	for size := len(script.Acts) / 2; size >= 1; size /= 2 {
		for from := 0; from+size <= len(script.Acts); from++ {
			less := script
			less.Acts = slices.Delete(slices.Clone(script.Acts), from, from+size)
			if breaks(ctx, less, wanted) {
				return less, true
			}
		}
	}
	return script, false
}

// breaks tells whether a script breaks one of some invariants.
func breaks(ctx context.Context, script Script, wanted []string) bool {
	return slices.ContainsFunc(broken(ctx, script), func(i string) bool { return slices.Contains(wanted, i) })
}

// broken are the invariants that a script breaks.
func broken(ctx context.Context, script Script) []string {
	o, err := Play(ctx, script)
	if err != nil {
		return []string{"error"}
	}
	var all []string
	for _, v := range o.Violations {
		all = append(all, v.Invariant)
	}
	return all
}

// Tell tells a script and what came of it, in sentences.
func Tell(script Script, o Outcome) string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed %d: %s\n", script.Seed, script.Setting)
	for i, image := range script.Releases {
		fmt.Fprintf(&text, "  - release %d of the pipeline is %s\n", i+1, image)
	}
	for _, act := range script.Acts {
		fmt.Fprintf(&text, "  - %s\n", act)
	}
	for _, crash := range o.stage.crashes.told {
		fmt.Fprintf(&text, "  - %s\n", crash)
	}
	fmt.Fprintln(&text, "what happened:")
	for _, line := range o.lines() {
		fmt.Fprintf(&text, "  %s\n", line)
	}
	for _, v := range o.Violations {
		fmt.Fprintf(&text, "  VIOLATION %s\n", v)
	}
	return text.String()
}

// String says how a story begins.
func (s Setting) String() string {
	text := fmt.Sprintf("%g requests a second; NAT %s; steps %v; on deletion %s; without data %s; clocks %s and %s ahead; latency %s",
		s.Rate, s.NAT, s.Spec.Steps, s.Spec.OnDelete, s.Spec.NoData, s.Skew[0], s.Skew[1], s.Latency)
	if s.FollowsLatest {
		text += "; traffic follows LATEST"
	}
	if s.FromGit {
		text += "; released by spec.template"
	}
	if s.Kept {
		text += "; Config Connector keeps the service"
	}
	if s.Glances {
		text += "; glances at lists"
	}
	parts := []string{text}
	for _, name := range slices.Sorted(maps.Keys(s.Switches)) {
		parts = append(parts, name+" is "+s.Switches[name])
	}
	return strings.Join(parts, "; ")
}

// lines are the turns of a trace.
func (o Outcome) lines() []string {
	var lines []string
	last := ""
	for _, e := range o.trace {
		if text := line(e); text != "" && text[8:] != last {
			lines = append(lines, text)
			last = text[8:]
		}
	}
	if len(lines) > 2*mostLines {
		middle := fmt.Sprintf("... %d lines ...", len(lines)-2*mostLines)
		lines = slices.Concat(lines[:mostLines], []string{middle}, lines[len(lines)-mostLines:])
	}
	return lines
}

// mostLines is how many lines of the beginning and of the end are told.
const mostLines = 40

func line(e invariants.Event) string {
	say := func(at invariants.At, format string, args ...any) string {
		return time.Time(at).Format(time.TimeOnly) + " " + fmt.Sprintf(format, args...)
	}
	switch e := e.(type) {
	case invariants.Saved:
		intent := ""
		if e.Intent != nil {
			intent = fmt.Sprintf(", means %v", e.Intent.Split)
		}
		return say(e.At, "%s saves %s/%s, attempt %d of %s over %s%s, latched %v, plan %d", e.By, e.Phase, e.Reason, e.Attempt, e.Candidate, e.Stable, intent, e.Latched, e.Plan)
	case invariants.Put:
		return say(e.At, "the status is put to %s/%s, attempt %d of %s over %s", e.Phase, e.Reason, e.Attempt, e.Candidate, e.Stable)
	case invariants.Write:
		return say(e.At, "%s writes %v: accepted %t, landed %t", e.By, e.Split, e.Accepted, e.Landed)
	case invariants.Desired:
		return say(e.At, "asked for is %v, by us %t", e.Split, e.Ours)
	case invariants.Restored:
		return say(e.At, "Config Connector asks for %v again", e.Split)
	case invariants.Rewound:
		return say(e.At, "the RunService is put to %v, with our tag on %q, by us %t", e.Split, e.Tagged, e.Ours)
	case invariants.Effective:
		return say(e.At, "%v serves", e.Split)
	case invariants.Life:
		return say(e.At, "%s is %s", e.Revision, e.State)
	case invariants.Plan:
		return say(e.At, "plan %d: %v, paused %t", e.Number, e.Steps, e.Paused)
	case invariants.Request:
		return say(e.At, "%s asks to %s", e.ID, e.Verb)
	case invariants.Deleting:
		return say(e.At, "the object is being deleted")
	case invariants.Gone:
		return say(e.At, "the object is gone")
	}
	return ""
}
