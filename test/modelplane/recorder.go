package modelplane

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Event is what a controller told with events.k8s.io.
type Event struct {
	At                         time.Time
	By                         string
	Regarding                  types.NamespacedName
	UID                        types.UID
	Type, Reason, Action, Note string
}

// Recorder returns a recorder of events for a caller of that name. It never fails
// and drops nothing; a real one does both, later and from another goroutine.
func (s *Server) Recorder(who string) events.EventRecorder { return recorder{s, who} }

// Events returns what was recorded, oldest first. It belongs to the server: read only.
func (s *Server) Events() []Event { return s.events }

type recorder struct {
	server *Server
	who    string
}

// Eventf implements events.EventRecorder.
//
//nolint:revive // the interface has that many arguments
func (r recorder) Eventf(regarding, _ runtime.Object, kind, reason, action, note string, args ...any) {
	e := Event{At: r.server.clock.Now(), By: r.who, Type: kind, Reason: reason, Action: action, Note: fmt.Sprintf(note, args...)}
	if o, ok := regarding.(client.Object); ok {
		e.Regarding, e.UID = client.ObjectKeyFromObject(o), o.GetUID()
	}
	r.server.events = append(r.server.events, e)
}
