package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// News is that a rollout changed its state.
type News struct {
	// Namespace, Name and UID are those of the object.
	Namespace, Name, UID string
	// Project, Location and Service name what it rolls out.
	Project, Location, Service string
	// Attempt is the number of the attempt, 0 before the first.
	Attempt int64
	// Reason and Phase are those of the new state.
	Reason, Phase string
	// Candidate and Stable are revisions, "" where there is none. Step is like "2/4",
	// Weight like "25%".
	Candidate, Stable, Step, Weight string
	// Text says what is and why, Next what happens next and when.
	Text, Next string
	// Warning says that somebody may have to do something.
	Warning bool
	// Passing says that the state ends by itself and calls for nobody, so that it may come
	// and go; Cause is what it is because of, beside its reason. The same state of the same
	// cause is told once in ten minutes while it passes.
	Passing bool
	Cause   string
	// LeftOut is how many changes before this one were not told, because they were to
	// states that came and went. Sender counts them.
	LeftOut int
	// At is when the state began.
	At time.Time
}

// ID is the same for the same news, whoever tells it and how often.
func (n News) ID() string {
	parts := strings.Join([]string{
		n.UID, strconv.FormatInt(n.Attempt, 10), n.Phase, n.Reason, n.Step, n.Weight, n.Candidate, n.At.UTC().Format(time.RFC3339),
	}, "\x00")
	sum := sha256.Sum256([]byte(parts))
	return hex.EncodeToString(sum[:16])
}
