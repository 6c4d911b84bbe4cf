package dashboard

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// frame is what stands around every page.
type frame struct {
	Title string
	// Root leads from the page to the list, for addresses behind any path.
	Root    string
	Version string
	Now     time.Time
	Assets  map[string]string
	// Leads says who acts; Silence warns that nobody does.
	Leads, Silence string
	// Outages says which calls of Google's APIs fail.
	Outages []string
	// Newest says through when metrics were judged.
	Newest string
}

func (s *Server) frame(ctx context.Context, title, root string, rollouts []v1alpha1.CloudRunRollout) frame {
	f := frame{
		Title: title, Root: root, Version: s.Version, Now: s.Clock.Now().UTC(), Assets: addresses,
		Newest: s.newest(rollouts), Outages: s.reader().Outages(rollouts),
	}
	f.Leads, f.Silence = s.pulse(ctx)
	return f
}

// pulse says who leads, and warns where nobody has said so for too long: then what
// is shown is what was last known.
func (s *Server) pulse(ctx context.Context) (leads, silence string) {
	if s.Pulse == nil {
		return "", ""
	}
	p := s.Pulse(ctx)
	if p.Err != nil {
		return "leader unknown", fmt.Sprintf("Who leads cannot be told: %v. What is shown is what was last known.", p.Err)
	}
	if p.Leader == "" {
		return "no leader", "No manager leads, so nothing is judged and nothing moves. What is shown is what was last known."
	}
	if quiet := s.Process.Since(p.Renewed); quiet > p.Patience {
		return "leader " + p.Leader, fmt.Sprintf("The manager %s leads and has not been heard of for %s, so nothing may be judged "+
			"and nothing may move. What is shown is what was last known.", p.Leader, view.Span(quiet))
	}
	return "leader " + p.Leader, ""
}

// newest says how old the newest judged minute of any check is; "" where no check
// has judged one.
func (s *Server) newest(rollouts []v1alpha1.CloudRunRollout) string {
	var newest time.Time
	for i := range rollouts {
		for _, c := range rollouts[i].Status.Checks {
			if c.ObservedThrough != nil && c.ObservedThrough.After(newest) {
				newest = c.ObservedThrough.Time
			}
		}
	}
	if newest.IsZero() {
		return ""
	}
	return s.reader().At(newest)
}

func (s *Server) reader() view.Reader { return view.Reader{Now: s.Clock.Now()} }

// tones are the classes that the style sheet knows.
var tones = map[view.Tone]string{view.Calm: "calm", view.Busy: "busy", view.Wary: "wary", view.Alarm: "alarm"}
