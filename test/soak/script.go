package soak

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Script is everything that is decided before a story is played: how it begins and
// what people, bad luck and neighbours do in it. The same script is played alike
// each time, and so is one from which acts were taken out.
type Script struct {
	Seed    uint64
	Setting Setting
	// Releases are the images that a pipeline deploys, each when the one before is at
	// rest.
	Releases []string
	Acts     []Act
	// Crashes are calls at which controllers die, one after another.
	Crashes []Crash
	// Lasts is when the adversary is done.
	Lasts time.Duration
}

// side is before or after a call.
type side string

const (
	before side = "before"
	after  side = "after"
)

// Cue is when an act is played.
type Cue struct {
	// Phase, if set, is what the rollout must have entered first.
	Phase string
	// After is how long after that, or after the beginning.
	After time.Duration
	// Call, if set, is the call that a controller must then make; Side is when in it.
	Call string
	Side side
}

// String says it in words.
func (c Cue) String() string {
	text := fmt.Sprintf("%s after the beginning", c.After)
	if c.Phase != "" {
		text = fmt.Sprintf("%s after the rollout was first %s", c.After, c.Phase)
	}
	if c.Call != "" {
		text += fmt.Sprintf(", %s a controller's next call %q", c.Side, c.Call)
	}
	return text
}

// Act is something that happens unasked.
type Act struct {
	Cue
	Deed Deed
	// What the deed needs.
	Who   int           // a replica, 0 or 1
	For   time.Duration // how long it lasts
	Count int           // how many
	Word  string        // a verb, an image, a revision
	Mode  string        // of a promote; "" is to the next weight
	Fault simulator.Fault
	Spec  Spec
}

// Deed is a kind of act.
type Deed string

// The deeds of people.
const (
	Deploy      Deed = "deploy"       // Word is an image
	Push        Deed = "push"         // Word is the image of a template in Git
	EditTraffic Deed = "edit traffic" // Word is a split, see splits
	SetTag      Deed = "set a tag"    // Word is a tag; Who tells which revision gets it
	Lose        Deed = "lose"         // Word is stable or candidate
	Fail        Deed = "fail"         // the same
	Ask         Deed = "ask"          // Word is a verb; Count above 0 makes it a stale one
	Pause       Deed = "pause"
	Unpause     Deed = "unpause"
	Respec      Deed = "respec"         // Spec is the new one
	NameOne     Deed = "name candidate" // Word is stable, candidate, newest or none
	NameStable  Deed = "name stable"    // the same
	Remove      Deed = "remove"         // For is when it is applied again; 0 is never
	Annotate    Deed = "annotate"       // what changes the version and nothing else
	Wipe        Deed = "wipe status"
	Shut        Deed = "freeze rollouts" // For a while nothing may rise
	MoveIn      Deed = "move in"         // an object of another cluster claims the service
	TakeTraffic Deed = "take traffic"    // Word is a split that somebody applies to the RunService, and owns For a while
)

// The deeds of bad luck.
const (
	Break    Deed = "break"   // Fault is injected into the world
	Kill     Deed = "kill"    // of the caller, or of Who; For is until it is back
	Stop     Deed = "stop"    // the same process gets no CPU For a while
	Usurp    Deed = "usurp"   // Who leads beside the leader, For a while
	Freeze   Deed = "freeze"  // the watch of Who, For a while
	Rewind   Deed = "rewind"  // the cache of Who by Count changes, For a while
	Relist   Deed = "relist"  // the watch of Who breaks and lists anew
	Refuse   Deed = "refuse"  // the next Count saves, as Word says
	Swallow  Deed = "swallow" // the answers to the next Count saves
	GoBack   Deed = "go back" // etcd, by Count changes
	Exchange Deed = "exchange leaders"
	Occupy   Deed = "occupy" // Config Connector with something else, For a while
)

// kind tells what an act is called in the counts.
func (a Act) kind() string {
	if a.Deed == Break {
		return "break: " + strings.TrimSpace(string(a.Fault.Kind)+" "+a.Fault.Operation+" "+short(a.Fault.Metric))
	}
	if a.Word != "" && (a.Deed == Ask || a.Deed == Refuse || a.Deed == Lose || a.Deed == Fail) {
		return strings.TrimSpace(string(a.Deed) + " " + a.Word + " " + a.Mode)
	}
	return string(a.Deed)
}

func short(metric string) string { return metric[strings.LastIndex(metric, "/")+1:] }

// String tells the act in a sentence.
func (a Act) String() string { return a.Cue.String() + ": " + a.what() }

func (a Act) what() string {
	if text := a.byPeople(); text != "" {
		return text
	}
	return a.badLuck()
}

// byPeople tells a deed of people; "" for any other.
func (a Act) byPeople() string {
	switch a.Deed { //nolint:exhaustive // the others are bad luck
	case Deploy:
		return "somebody deploys " + a.Word
	case Push:
		return "Git: spec.template has image " + a.Word
	case EditTraffic:
		return "somebody sets traffic to " + a.Word
	case TakeTraffic:
		return fmt.Sprintf("somebody applies spec.traffic of the RunService, %s, and lets go of it %s later", a.Word, a.For)
	case SetTag:
		return fmt.Sprintf("somebody sets the tag %s", a.Word)
	case Lose:
		return "revision " + a.Word + " is deleted"
	case Fail:
		return "revision " + a.Word + " loses its readiness"
	case Ask:
		if a.Count > 0 {
			return fmt.Sprintf("somebody asks to %s attempt %d, whichever is under way", a.Word, a.Count)
		}
		return strings.TrimSpace("somebody asks to " + a.Word + " " + a.Mode)
	case Pause:
		return "somebody sets spec.paused"
	case Unpause:
		return "somebody takes spec.paused back"
	case Respec:
		return fmt.Sprintf("somebody edits the spec to %+v", a.Spec)
	case NameOne:
		return "spec.candidateRevision names " + a.Word
	case NameStable:
		return "spec.stableRevision names " + a.Word
	case Remove:
		if a.For > 0 {
			return fmt.Sprintf("somebody deletes the rollout, and applies it again %s later", a.For)
		}
		return "somebody deletes the rollout"
	case Annotate:
		return "somebody annotates the rollout"
	case Wipe:
		return "somebody wipes its status"
	case Shut:
		return fmt.Sprintf("somebody freezes all rollouts for %s", a.For)
	case MoveIn:
		return "an object of another cluster claims the service"
	}
	return ""
}

// badLuck tells any other deed.
func (a Act) badLuck() string {
	switch a.Deed { //nolint:exhaustive // the others are deeds of people
	case Break:
		return "the cloud: " + faultWords(a.Fault)
	case Kill:
		return fmt.Sprintf("controller %s is killed, and back %s later", a.victim(), a.For)
	case Stop:
		return fmt.Sprintf("controller %s gets no CPU for %s", a.victim(), a.For)
	case Usurp:
		return fmt.Sprintf("controller %s leads too, for %s", a.replica(), a.For)
	case Occupy:
		return fmt.Sprintf("Config Connector does something else for %s", a.For)
	case Exchange:
		return "the leader is shut down, the other one takes over at once"
	case Freeze:
		return fmt.Sprintf("the watch of %s delivers nothing for %s", a.replica(), a.For)
	case Rewind:
		return fmt.Sprintf("the cache of %s goes back by %d changes, for %s", a.replica(), a.Count, a.For)
	case Relist:
		return "the watch of " + a.replica() + " breaks, and lists anew"
	case Refuse:
		return fmt.Sprintf("the next %d saves fail: %s", a.Count, a.Word)
	case Swallow:
		return fmt.Sprintf("the next %d saves succeed, and their answers are lost", a.Count)
	case GoBack:
		return fmt.Sprintf("etcd is put back by %d changes", a.Count)
	}
	return string(a.Deed)
}

// victim is the caller where there is one.
func (a Act) victim() string {
	if a.Call != "" {
		return "that calls"
	}
	return a.replica()
}

// replica is the name of the one that is meant.
func (a Act) replica() string { return "AB"[a.Who : a.Who+1] }

func faultWords(f simulator.Fault) string {
	text := string(f.Kind)
	if f.Operation != "" {
		text += " of " + f.Operation
	}
	if f.Metric != "" {
		text += " of " + short(f.Metric)
	}
	if f.Code != 0 {
		text += fmt.Sprintf(" with %d", f.Code)
	}
	if f.Times > 0 {
		text += fmt.Sprintf(", %d times", f.Times)
	}
	if f.Delay != 0 {
		text += fmt.Sprintf(", %s", time.Duration(f.Delay))
	}
	if f.For > 0 {
		text += fmt.Sprintf(", for %s", time.Duration(f.For))
	}
	return text
}
