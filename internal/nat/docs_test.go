package nat

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// example plays the worked example of docs/nat.md and writes it down.
type example struct {
	strings.Builder
	gateway Gateway
	fleet   Fleet
}

func (e *example) say(format string, args ...any) { fmt.Fprintf(e, format+"\n", args...) }

// forecast writes the arithmetic of a step.
func (e *example) forecast(weight int64) Forecast {
	c := Foresee(e.gateway, e.fleet, DefaultPolicy(), weight)
	fits := "waits"
	if c.Fits() {
		fits = "fits"
	}
	e.say("%4d%%  needed ceil(%d x %d / 100) = %d, at the peak %d, has %d: starts %d, adds %d endpoints",
		weight, c.Load, weight, c.Needed, c.Peak, c.Has, c.Starts, c.Adds)
	e.say("       %d taken + %d = %d, room for %d: %s", c.Taken, c.Adds, c.Taken+c.Adds, c.Room, fits)
	return c
}

// step lets the forecast come true.
func (e *example) step(c Forecast) {
	e.fleet.Candidate = c.Peak
	e.gateway.Endpoints += c.Adds
}

func (e *example) play() {
	e.gateway = Gateway{Name: "nat-1", IPs: 1, Ports: 1024, Endpoints: 34}
	e.fleet = Fleet{Stable: 8, Busy: 8}
	gateways := func() []Gateway { return []Gateway{e.gateway} }
	c := Foresee(e.gateway, e.fleet, DefaultPolicy(), 0)
	e.say("capacity  %d x floor(64,512 / %s) = %d endpoints", e.gateway.IPs, thousands(c.Each), c.Capacity)
	e.say("reserve   ceil(%d x %d / 100) = %d, room for %d", c.Capacity, c.Reserve, c.Kept, c.Room)
	e.say("")
	for _, weight := range []int64{5, 25, 50} {
		e.step(e.forecast(weight))
	}
	e.say("       %s", e.forecast(100))
	safe := LargestSafeWeight(gateways(), e.fleet, DefaultPolicy(), 50, 100)
	e.say("       the largest weight that fits: %d%%", safe)
	e.step(e.forecast(safe))
	linger := LingersUntil(noon)
	ended := e.fleet.Stable - ceilDiv(e.fleet.Load()*(100-safe), 100)
	e.say("       %d of stable's %d instances end within %s, their %d endpoints within %s",
		ended, e.fleet.Stable, minutes(linger.Instances.Sub(noon)), 2*ended, minutes(linger.Addresses.Sub(noon)))
	e.gateway.Endpoints -= 2 * ended
	e.step(e.forecast(100))
}

// back writes the way back from 100 % after an hour.
func (e *example) back() {
	r, now := Retreat{Weight: 100, Rises: []Rise{{noon, 50}}}, noon.Add(time.Hour)
	for r.Weight > 0 {
		l := WayBack(r, now)
		if r.Sent == 0 {
			r.Began = now
		}
		now = l.At
		e.say("%4.0f s  %3d%% -> %d%%", now.Sub(r.Began).Seconds(), r.Weight, l.Weight)
		r.Weight, r.Last, r.Sent = l.Weight, now, r.Sent+1
	}
}

// rates writes what ports and TIME_WAIT make of connections.
func (e *example) rates() {
	for _, g := range []Gateway{{}, {TimeWait: 30 * time.Second}, {Ports: 1024, TimeWait: 30 * time.Second}} {
		e.say("%5s ports / %3.0f s = %s connections/s", thousands(g.PortsEach()), g.timeWait().Seconds(), decimal(g.ConnectRate()))
	}
}

// TestTheWorkedExamplesAreTrue: the blocks in docs/nat.md are what this package
// says.
func TestTheWorkedExamplesAreTrue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/nat.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, play := range map[string]func(*example){
		"steps": (*example).play, "back": (*example).back, "rates": (*example).rates,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, rest, found := strings.Cut(string(text), "<!-- example: "+name+" -->\n\n```text\n")
			block, _, ended := strings.Cut(rest, "```\n")
			if !found || !ended {
				t.Fatal("docs/nat.md has no such example")
			}
			var e example
			play(&e)
			if diff := cmp.Diff(strings.Split(e.String(), "\n"), strings.Split(block, "\n")); diff != "" {
				t.Errorf("the example (-package +document):\n%s", diff)
			}
		})
	}
}

// TestTheDocumentNamesTheConstants that it explains.
func TestTheDocumentNamesTheConstants(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/nat.md")
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(string(text)), " ")
	for _, want := range []string{
		fmt.Sprintf("%s source ports", thousands(PortsPerIP)),
		fmt.Sprintf("%d by default, %d with dynamic", staticPorts, dynamicPorts),
		fmt.Sprintf("for up to %d minutes after", InstancesLinger/time.Minute),
		fmt.Sprintf("for up to %d minutes more", AddressesLinger/time.Minute),
		fmt.Sprintf("at most three writes, %.0f s apart", Spacing.Seconds()),
		fmt.Sprintf("within %.0f minutes of the rise", soon.Minutes()),
		fmt.Sprintf("the %.0f minutes before the rise", Before.Minutes()),
		fmt.Sprintf("%d %% of the traffic or less", cheap),
		fmt.Sprintf("at least %d requests", fewest),
		fmt.Sprintf("reserve, %d %%", DefaultPolicy().ReservePercent),
		fmt.Sprintf("overshoot, %.0f", DefaultPolicy().Overshoot),
		fmt.Sprintf("endpoints per instance, %d", DefaultPolicy().EndpointsPerInstance),
		string(OwnURLCalled), string(CloudSQLPublic), string(AllTrafficUnneeded), string(TooFewPorts),
		string(OneManualIP), string(EndpointsCollide), string(NoMinimum), string(SubnetUnread), string(LoggingOff),
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("docs/nat.md does not say %q", want)
		}
	}
}
