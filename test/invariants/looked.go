package invariants

import (
	"net/http"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Looked is a read of a revision by a controller, whatever was answered. Missing is what
// Cloud Run says of one that is gone.
type Looked struct {
	At
	By       string // the process
	Revision string
	Missing  bool
}

// looked is such a read, as its reader knows it.
func looked(e simulator.Event) Looked {
	c := e.Call
	_, revision, _ := strings.Cut(c.Resource, "/revisions/")
	return Looked{
		At: At(e.At), By: c.UserAgent, Revision: revision,
		Missing: !c.Lost && c.Code == http.StatusNotFound,
	}
}

// looks is what is known of revisions.
type looks struct {
	newest map[string]Looked    // of each process, whatever was answered
	gone   map[string]time.Time // since when, by process, or by a status to all; until one is put in another's place
}

func newLooks() looks { return looks{map[string]Looked{}, map[string]time.Time{}} }

func (l looks) learn(e Looked) {
	l.newest[e.By+" "+e.Revision] = e
	if e.Missing {
		l.says(e.By+" "+e.Revision, e.when())
	}
}

// told notes that a status says of stable that it is gone.
func (l looks) told(s Saved) {
	if s.Reason == reasonBaselineLost {
		l.says(s.Stable, s.when())
	}
}

func (l looks) says(what string, at time.Time) {
	if _, known := l.gone[what]; !known {
		l.gone[what] = at
	}
}

// said tells whether something was said by a time.
func (l looks) said(what string, by time.Time) bool {
	at, known := l.gone[what]
	return known && !at.After(by)
}

// forget is what a status of the past does to all: nobody decides on anything else.
func (l looks) forget() { clear(l.gone) }

// nowhere are the revisions that a write sends traffic to though they are not there, as
// whoever sends it now can know.
func (p *past) nowhere(w Write) []string {
	var gone []string
	for _, t := range w.Targets {
		life, known := p.lives[t.Revision]
		lost := life == Lost && w.when().Sub(p.lost[t.Revision]) > p.delta
		if t.Percent > 0 && (!known || lost && !p.unknown(t.Revision, w)) {
			gone = append(gone, t.Revision)
		}
	}
	return gone
}

// unknown tells whether who sends a write now cannot know that a revision is gone: it has
// looked just before, standing still not counted, or tried to, and neither an answer nor a
// status had said so by then.
func (p *past) unknown(revision string, w Write) bool {
	newest, tried := p.looks.newest[w.By+" "+revision]
	patience := p.delta
	if s := p.stood[w.By]; s.when().After(newest.when()) {
		patience += s.For
	}
	told := p.looks.said(w.By+" "+revision, newest.when()) || p.looks.said(revision, newest.when())
	return tried && !told && w.when().Sub(newest.when()) <= patience
}
