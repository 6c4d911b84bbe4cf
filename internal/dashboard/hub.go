package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// The rhythm of a stream.
const (
	// atMost is how often a stream tells of changes at most.
	atMost = time.Second
	// heartbeat is how long a stream is silent at most; a page that hears nothing for
	// longer says that it is old. The times on it are renewed then, too.
	heartbeat = 15 * time.Second
	// lifetime is how long a stream lasts. The browser opens another one, whose
	// rights are looked at again.
	lifetime = 5 * time.Minute
	// patience is how long a browser may take to accept a few bytes. It reaches past
	// the next beat, because a deadline that has passed cannot be moved.
	patience = heartbeat + 10*time.Second
	// maxListeners bounds the streams that are open at once.
	maxListeners = 64
)

var errFull = errors.New("too many pages are open")

// hub tells open pages that something changed.
type hub struct {
	clock     clock.WithTicker
	mu        sync.Mutex
	listeners map[chan struct{}]bool
	done      chan struct{}
	once      sync.Once
}

func newHub(c clock.WithTicker) *hub {
	return &hub{clock: c, listeners: map[chan struct{}]bool{}, done: make(chan struct{})}
}

// changed wakes every listener. One that is busy has at most one more to hear.
func (h *hub) changed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		select {
		case l <- struct{}{}:
		default:
		}
	}
}

// close ends all streams.
func (h *hub) close() { h.once.Do(func() { close(h.done) }) }

func (h *hub) join() (chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) >= maxListeners {
		return nil, errFull
	}
	l := make(chan struct{}, 1)
	h.listeners[l] = true
	return l, nil
}

func (h *hub) leave(l chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

// ServeHTTP streams server-sent events: changed when something did, at most once a
// second, and beat when nothing was said for a while.
func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	listener, err := h.join()
	if err != nil {
		w.Header().Set("Retry-After", "15")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer h.leave(listener)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy that gathers would hold it back
	line := line{http.NewResponseController(w), w, h.clock}
	if line.say("retry: 3000\n\n") != nil {
		return
	}
	end := h.clock.NewTimer(lifetime)
	defer end.Stop()
	for h.turn(r, line, listener, end) {
	}
}

// turn waits for something to say and says it; false when the stream is over.
func (h *hub) turn(r *http.Request, out line, listener <-chan struct{}, end clock.Timer) bool {
	beat := h.clock.NewTimer(heartbeat)
	defer beat.Stop()
	select {
	case <-listener:
		beat.Stop()
		return out.say("event: changed\ndata: \n\n") == nil && h.rest(r)
	case <-beat.C():
		return out.say("event: beat\ndata: \n\n") == nil
	case <-end.C():
	case <-r.Context().Done():
	case <-h.done:
	}
	return false
}

// rest lets a moment pass, in which changes gather.
func (h *hub) rest(r *http.Request) bool {
	pause := h.clock.NewTimer(atMost)
	defer pause.Stop()
	select {
	case <-pause.C():
		return true
	case <-r.Context().Done():
	case <-h.done:
	}
	return false
}

// line writes to a browser that may be slow or gone.
type line struct {
	control *http.ResponseController
	w       http.ResponseWriter
	clock   clock.PassiveClock
}

func (l line) say(text string) error {
	if err := l.control.SetWriteDeadline(l.clock.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := fmt.Fprint(l.w, text); err != nil {
		return err
	}
	return l.control.Flush()
}
