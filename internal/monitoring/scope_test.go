package monitoring

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// tenant may ask about one service and the gateway, as long as it is bound.
func tenant(of analysis.Source, bound *atomic.Bool) Scope {
	return Scope{
		Admits: func(s analysis.Source) bool {
			return bound.Load() && (s.IsGateway() || s.Location == of.Location && s.Service == of.Service)
		},
		Everything: func(s analysis.Source) bool { return s.IsGateway() },
	}
}

// passed makes a pass for a service as somebody, and checks its answers.
func passed(t *testing.T, client *Client, of analysis.Source, scope Scope, now time.Time) {
	t.Helper()
	questions := pass(of, now, 10*time.Minute)
	answers, err := client.Answer(Within(t.Context(), scope), questions, now)
	if err != nil {
		t.Fatal(err)
	}
	right(t, questions, answers)
}

// about tells whether some query since the last time asked about a service.
func (s *server) about(t *testing.T, of analysis.Source) bool {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.lists, func(request *monitoringpb.ListTimeSeriesRequest) bool {
		clauses, err := read(request.GetFilter())
		if err != nil {
			t.Fatal(err)
		}
		ofService, named := false, true
		for _, c := range clauses {
			switch c.field {
			case "resource.type":
				ofService = !slices.Contains(c.values, resourceGateway)
			case labelLocation:
				named = named && slices.Contains(c.values, of.Location)
			case labelService:
				named = named && slices.Contains(c.values, of.Service)
			}
		}
		return ofService && named
	})
}

// TestWhoLostAccessLeavesWhatManyAskTogether: at the next query, though it was asked
// about a moment before.
func TestWhoLostAccessLeavesWhatManyAskTogether(t *testing.T) {
	t.Parallel()
	c := &crowd{services: rolling(3)} // the first and the third in one region
	s := c.server()
	client := start(t, s)
	var stays, goes atomic.Bool
	stays.Store(true)
	goes.Store(true)
	mine, theirs := c.services[0], c.services[2]
	passed(t, client, theirs, tenant(theirs, &goes), noon)
	s.forget()
	passed(t, client, mine, tenant(mine, &stays), noon.Add(time.Minute))
	if !s.about(t, mine) || !s.about(t, theirs) {
		t.Fatal("with access both are asked about together")
	}
	goes.Store(false)
	s.forget()
	passed(t, client, mine, tenant(mine, &stays), noon.Add(2*time.Minute))
	if !s.about(t, mine) || s.about(t, theirs) {
		t.Error("without access it is still asked about")
	}
}

// TestNoQueryReachesBeyondWhatIsBound: not to a name of one region in another, and not
// to a whole region, however many ask.
func TestNoQueryReachesBeyondWhatIsBound(t *testing.T) {
	t.Parallel()
	const n = 300
	for name, c := range map[string]struct {
		everything, beyond bool
	}{
		"who may know some services": {false, false},
		"who may know all":           {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crowd := &crowd{services: rolling(n), page: 5000, minutes: 12}
			s := crowd.server()
			client := start(t, s)
			var bound atomic.Bool
			bound.Store(true)
			for i, of := range crowd.services {
				scope := tenant(of, &bound)
				if c.everything {
					scope.Everything = func(analysis.Source) bool { return true }
				}
				passed(t, client, of, scope, noon.Add(time.Duration(i)*59*time.Second/n))
			}
			for _, of := range crowd.services {
				if !s.about(t, of) {
					t.Fatalf("%v is not asked about", of)
				}
				elsewhere := of
				elsewhere.Location = map[string]string{"europe-west1": "us-central1", "us-central1": "europe-west1"}[of.Location]
				if s.about(t, elsewhere) != c.beyond {
					t.Fatalf("%v is asked about: %t, want %t", elsewhere, !c.beyond, c.beyond)
				}
			}
		})
	}
}
