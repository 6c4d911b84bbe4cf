package stories_test

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

var (
	seeds       = flag.Int("seeds", 20, "how many seeds of disorder to play")
	book        = flag.Bool("book", false, "play the whole book under every other value of a switch")
	switchSeeds = flag.Int("switch-seeds", 2, "how many of them under every other value of a switch")
)

// plainStories are played again under disorder and under other behaviours of the
// clouds. A person resumes what waits for one after a deadline.
var plainStories = []story{
	{name: "healthy", tale: []moment{deployHealthy}, want: rollout.Completed},
	{
		name: "bad", tale: []moment{at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0)))},
		want: rollout.RolledBack,
	},
	{
		name: "bad at half", tale: []moment{at("10m", "ci deploys web-2, which fails under half of the traffic", deploy("web-2", failing(5, 50)))},
		want: rollout.RolledBack,
	},
	{
		name: "pinned", tale: []moment{deployHealthy}, want: rollout.Completed,
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Services[0].Traffic = nil }},
	},
	{
		name: "dropping", tale: []moment{deployHealthy}, want: rollout.RolledBack,
		world: []func(*simulator.Scenario){behindNat, func(s *simulator.Scenario) {
			s.Gateways[0].Drops = []simulator.Drop{{Image: newImage, AbovePercent: 10, PacketsPerMinutePerPercent: 4}}
		}},
	},
}

// TestDisorder plays plain stories while answers are lost, writes are refused or
// come late, the controller dies in the middle of passes and metrics are late or
// missing. The invariants hold throughout; once the disorder ends, the story ends
// as it would have without. No split of ours is ever taken for a stranger's.
func TestDisorder(t *testing.T) {
	t.Parallel()
	for seed := range *seeds {
		s := plainStories[seed%len(plainStories)]
		t.Run(fmt.Sprintf("%s, seed %d", s.name, seed), func(t *testing.T) {
			t.Parallel()
			b := disordered(t, s, uint64(seed))
			b.play()
			if t.Failed() {
				t.Log(b.told.String())
			}
		})
	}
}

// TestDisorderBehindANarrowGateway lets the same happen to rises that are cut and
// that wait: whatever is lost, late or sent again, no weight exceeds that of the
// next step, each is held as it must be, and the rollout gets there.
func TestDisorderBehindANarrowGateway(t *testing.T) {
	t.Parallel()
	for seed := range max(1, *seeds/4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			b := disordered(t, narrow, uint64(seed))
			b.play()
			if t.Failed() {
				t.Log(b.told.String())
			}
		})
	}
}

// TestTheSameSeedGivesTheSameStory keeps failures repeatable.
func TestTheSameSeedGivesTheSameStory(t *testing.T) {
	t.Parallel()
	hash := func(seed uint64) [sha256.Size]byte {
		b := disordered(t, plainStories[0], seed)
		b.play()
		log, err := json.Marshal(b.world.Log())
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(append(log, b.told.String()...))
	}
	if first, again := hash(7), hash(7); first != again {
		t.Error("two tellings of the same seed differ")
	}
	if hash(7) == hash(8) {
		t.Error("tellings of different seeds are the same")
	}
}

// TestStoriesUnderOtherSwitches plays plain stories with each unverified
// behaviour of the clouds turned the other way.
func TestStoriesUnderOtherSwitches(t *testing.T) {
	t.Parallel()
	for name, values := range simulator.AllSwitches() {
		for _, s := range plainStories {
			t.Run(fmt.Sprintf("%s, %s %s", s.name, name, values[1]), func(t *testing.T) {
				t.Parallel()
				b := newTeller(t, switched(t, s, name, values[1]))
				b.play()
				if t.Failed() {
					t.Log(b.told.String())
				}
			})
		}
	}
}

// switched is a story in a world in which one unverified behaviour is as given.
func switched(t *testing.T, s story, name, value string) story {
	t.Helper()
	s.world = append(slices.Clone(s.world), func(sc *simulator.Scenario) {
		if err := sc.Switches.Set(name, value); err != nil {
			t.Fatal(err)
		}
	})
	return s
}

// TestDisorderUnderOtherSwitches lets the disorder meet each unverified behaviour
// of the clouds turned the other way. What holds there is what test/invariants
// says of the value.
func TestDisorderUnderOtherSwitches(t *testing.T) {
	t.Parallel()
	for i, name := range slices.Sorted(maps.Keys(simulator.AllSwitches())) {
		value := simulator.AllSwitches()[name][1]
		for n := range *switchSeeds {
			seed := i + n
			s := plainStories[seed%len(plainStories)]
			t.Run(fmt.Sprintf("%s %s, %s, seed %d", name, value, s.name, seed), func(t *testing.T) {
				t.Parallel()
				b := disordered(t, switched(t, s, name, value), uint64(seed))
				b.play()
				if t.Failed() {
					t.Log(b.told.String())
				}
			})
		}
	}
}

// TestTheBookUnderOtherSwitches plays every story of the book with one unverified
// behaviour turned the other way: each story with the next one, or with -book
// every story with all of them, which takes minutes. The invariants hold; how a
// story ends may depend on the behaviour.
func TestTheBookUnderOtherSwitches(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(simulator.AllSwitches()))
	for i, s := range allStories {
		for j, name := range names {
			if !*book && j != i%len(names) {
				continue
			}
			value := simulator.AllSwitches()[name][1]
			t.Run(fmt.Sprintf("%s, %s %s", s.name, name, value), func(t *testing.T) {
				t.Parallel()
				s.anyEnd = true
				newTeller(t, switched(t, s, name, value)).play()
			})
		}
	}
}

// disordered is a story in a world full of trouble, for three hours.
func disordered(t *testing.T, s story, seed uint64) *teller {
	t.Helper()
	s.until = 12 * time.Hour
	s.world = append(slices.Clone(s.world), func(sc *simulator.Scenario) { sc.Seed = seed })
	b := newTeller(t, s)
	b.mayStop = true
	b.trouble = trouble{rand.New(rand.NewPCG(seed, 1)), b.start.Add(3 * time.Hour)}.strike
	return b
}

// trouble is a source of bad luck that dries up.
type trouble struct {
	dice *rand.Rand
	ends time.Time
}

// strike is called at every point of a pass, and before every pass.
func (l trouble) strike(b *teller, g gate) {
	now := b.world.Now()
	if now.Before(b.start.Add(2 * time.Minute)) {
		return // what follows LATEST is to be pinned first
	}
	if !now.Before(l.ends) {
		if now.Before(l.ends.Add(time.Minute)) {
			heal(b)
		}
		l.resume(b)
		return
	}
	l.resume(b)
	switch roll := l.dice.IntN(1000); {
	case g == beforePass && roll < 12:
		l.disturb(b)
	case g == beforePass && roll < 15:
		b.say("* the controller is down for a while")
		down(l.span(time.Minute, 40*time.Minute))(b)
	case g == beforeWrite && roll < 350:
		l.refuse(b)
	case (g == beforeSave || g == beforeWrite || g == afterWrite) && roll < 480:
		b.say("* the controller dies %s", g)
		crash(l.span(time.Second, 3*time.Minute))(b)
	}
}

// disturb lets reads fail or lie and metrics be late or missing.
func (l trouble) disturb(b *teller) {
	faults := []simulator.Fault{
		{Kind: simulator.FaultStale, Operation: "services.get", Times: 1 + l.dice.IntN(3), Versions: 1 + l.dice.IntN(2)},
		{Kind: simulator.FaultError, Operation: "services.get", Code: 503, Times: 1 + l.dice.IntN(5)},
		{Kind: simulator.FaultError, Operation: "revisions.get", Code: 429, Times: 1 + l.dice.IntN(5)},
		{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 503, Times: 1 + l.dice.IntN(40)},
		{Kind: simulator.FaultLate, Metric: "run.googleapis.com/", Delay: minutes(1 + l.dice.IntN(9)), For: minutes(1 + l.dice.IntN(15))},
		{Kind: simulator.FaultGap, Metric: "run.googleapis.com/", For: minutes(1 + l.dice.IntN(15))},
		{Kind: simulator.FaultGap, Metric: "router.googleapis.com/", For: minutes(1 + l.dice.IntN(15))},
		{Kind: simulator.FaultStuck, For: minutes(1 + l.dice.IntN(4))},
	}
	l.inject(b, faults[l.dice.IntN(len(faults))])
}

// refuse lets the next write fail in one of its ways.
func (l trouble) refuse(b *teller) {
	faults := []simulator.Fault{
		onWrites(simulator.FaultDrop),
		onWrites(simulator.FaultDuplicate),
		{Kind: simulator.FaultError, Operation: "services.patch", Code: 409},
		{Kind: simulator.FaultError, Operation: "services.patch", Code: 503, Times: 1 + l.dice.IntN(3)},
		{Kind: simulator.FaultPark, Operation: "services.patch", Delay: simulator.Duration(time.Duration(1+l.dice.IntN(240)) * time.Second)},
	}
	l.inject(b, faults[l.dice.IntN(len(faults))])
}

func (l trouble) inject(b *teller, f simulator.Fault) {
	b.say("* trouble: %s %s%s", f.Kind, f.Operation, f.Metric)
	inject(f)(b)
}

// resume lets a person resume what waits after a deadline, and nothing else.
func (l trouble) resume(b *teller) {
	reason := b.saved.Reason
	if b.saved.Phase != rollout.Paused || reason != rollout.StepDeadlineExceeded && reason != rollout.NoDataDeadlineExceeded {
		return
	}
	if b.world.CallerNow().Sub(b.saved.Since) >= 5*time.Minute && b.request.Verb != rollout.Resume || b.saved.LastRequest.ID == b.request.ID {
		b.say("* alice asks to resume")
		ask(rollout.Resume)(b)
	}
}

func (l trouble) span(low, high time.Duration) string {
	return (low + time.Duration(l.dice.Int64N(int64(high-low)))).Truncate(time.Second).String()
}
