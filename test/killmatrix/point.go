package killmatrix

import (
	"fmt"
	"sync"
)

// Kind is when in the life of a call the controller is killed.
type Kind string

// The kinds of kills.
const (
	Before Kind = "before"
	During Kind = "during"
	After  Kind = "after"
)

// Kinds are all of them.
var Kinds = []Kind{Before, During, After}

// Point is a call at which the controller can be killed. Calls of one name are
// counted, so that a point is found again however its neighbours are ordered.
type Point struct {
	Call string
	Nth  int // of its name, from 1
}

// String says it in words.
func (p Point) String() string { return fmt.Sprintf("%s, number %d of its name", p.Call, p.Nth) }

// Kill is a point and a kind.
type Kill struct {
	K int // the point's number in the reference, from 1
	Point
	Kind Kind
}

// String says it in words.
func (k Kill) String() string { return fmt.Sprintf("k=%d, %s %s", k.K, k.Kind, k.Point) }

// call is a call to the outside that is about to be made.
type call struct {
	name  string
	write bool
	// object is set where a rollout is asked for or stored.
	object bool
}

// ledger numbers the calls of one play.
type ledger struct {
	mu     sync.Mutex
	points []Point
	read   map[string]bool // since the last write
	times  map[string]int
	kill   *Kill
}

func newLedger(kill *Kill) *ledger {
	return &ledger{read: map[string]bool{}, times: map[string]int{}, kill: kill}
}

// note counts a call, and tells whether it is the one to be killed at.
func (l *ledger) note(c call) (Kind, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.write {
		clear(l.read)
	} else if l.read[c.name] {
		return "", false
	}
	l.read[c.name] = !c.write
	l.times[c.name]++
	p := Point{c.name, l.times[c.name]}
	l.points = append(l.points, p)
	if l.kill == nil || l.kill.Point != p {
		return "", false
	}
	return l.kill.Kind, true
}
