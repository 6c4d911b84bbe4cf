package invariants

import (
	"slices"
	"testing"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// TestWhichListsAreLooks: a list counts where it was answered, to us, and the service is
// in its place.
func TestWhichListsAreLooks(t *testing.T) {
	t.Parallel()
	const place, service = "projects/acme/locations/tokyo", "projects/acme/locations/tokyo/services/web"
	list := func(caller, parent string, code int, fault simulator.FaultKind) simulator.Event {
		return simulator.Event{At: start, Kind: simulator.EventCall, Call: &simulator.Call{
			Operation: "services.list", Resource: parent, Caller: caller, UserAgent: "a", Code: code, Fault: string(fault),
			Lost: fault == simulator.FaultDrop,
		}}
	}
	got := FromLog([]simulator.Event{
		list("us", place, 200, ""),
		list("us", place, 200, simulator.FaultStale),
		list("us", place, 429, simulator.FaultError),
		list("us", "projects/acme/locations/osaka", 200, ""),
		list("us", "projects/acme/locations/to", 200, ""),
		list("them", place, 200, ""),
		list("us", place, 200, simulator.FaultDrop),
	}, service, "us")
	want := Trace{Listed{At(start), "a", false}, Listed{At(start), "a", true}}
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// TestAnAnswerThatIsLostIsNoRead: nobody knows what it said.
func TestAnAnswerThatIsLostIsNoRead(t *testing.T) {
	t.Parallel()
	const service = "projects/acme/locations/tokyo/services/web"
	read := func(lost bool) simulator.Event {
		return simulator.Event{At: start, Kind: simulator.EventCall, Service: service, Call: &simulator.Call{
			Operation: "services.get", Resource: service, Caller: "us", Code: 200, Before: &simulator.State{Generation: 2}, Lost: lost,
		}}
	}
	if got := FromLog([]simulator.Event{read(true), read(false)}, service, "us"); len(got) != 1 {
		t.Errorf("an answer that is lost and one that is not are %d reads", len(got))
	}
}
