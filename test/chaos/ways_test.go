package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/manager"
	"github.com/sluice-rollouts/sluice/test/witness"
)

func decode(body []byte, into any) error { return json.Unmarshal(body, into) }

// kubeWay is a manager's way to the apiserver, and what goes wrong on it. Whatever
// is about leases passes, unless the way is cut.
type kubeWay struct {
	server http.Handler

	mu      sync.Mutex
	wrong   wrong
	changed chan struct{} // closed with the next change of wrong
	open    map[*http.Request]context.CancelFunc
}

// wrong is what goes wrong.
type wrong struct {
	cut    bool          // no request passes
	lost   bool          // requests are taken, and never answered
	silent bool          // watches say nothing
	past   string        // the version of etcd's history that rollouts are listed and watched from
	busy   bool          // every request is one too many
	slow   time.Duration // how long each takes longer
}

func newKubeWay(s *stage, name string, who *rest.Config) *kubeWay {
	s.t.Helper()
	transport, err := rest.TransportFor(who)
	if err != nil {
		s.t.Fatal(err)
	}
	return &kubeWay{
		server:  manager.Proxy(addressOf(who), recorder{s.witness, name, transport}, manager.KeepTo(s.key.Namespace)),
		changed: make(chan struct{}), open: map[*http.Request]context.CancelFunc{},
	}
}

// suffer makes things go wrong from now on. The zero value mends them.
func (k *kubeWay) suffer(w wrong) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wrong = w
	close(k.changed)
	k.changed = make(chan struct{})
}

// hangUp ends every request that is under way.
func (k *kubeWay) hangUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for cancel := range maps.Values(k.open) {
		cancel()
	}
}

// cut ends every connection and lets none through.
func (k *kubeWay) cut() {
	k.suffer(wrong{cut: true})
	k.hangUp()
}

// lose takes every request and answers none, as a network that loses packets.
// Those under way get no answer either.
func (k *kubeWay) lose() { k.suffer(wrong{lost: true, silent: true}) }

// rewind puts the manager's view of rollouts back to a version of the past, and
// keeps it there.
func (k *kubeWay) rewind(version string) {
	k.suffer(wrong{past: version, silent: true})
	k.hangUp()
}

func (k *kubeWay) suffers() (wrong, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.wrong, k.changed
}

// ServeHTTP implements http.Handler.
func (k *kubeWay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	r = r.WithContext(ctx)
	k.mu.Lock()
	k.open[r] = cancel
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		delete(k.open, r)
		k.mu.Unlock()
	}()
	suffers, _ := k.suffers()
	switch lease := strings.Contains(r.URL.Path, "/leases"); {
	case suffers.cut:
		panic(http.ErrAbortHandler)
	case suffers.lost:
		<-ctx.Done()
		panic(http.ErrAbortHandler)
	case lease:
	case suffers.busy:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
		return
	case suffers.slow > 0:
		wait(ctx, suffers.slow)
	}
	if suffers.past != "" && strings.HasSuffix(r.URL.Path, "/cloudrunrollouts") && !k.ofThePast(w, r, suffers.past) {
		return
	}
	if r.URL.Query().Get("watch") == "true" {
		w = &muted{ResponseWriter: w, done: ctx.Done(), way: k}
	}
	k.server.ServeHTTP(w, r)
}

// ofThePast asks for a version of the past instead. A watch from another version
// is told that it is gone, so that the manager lists anew.
func (k *kubeWay) ofThePast(w http.ResponseWriter, r *http.Request, version string) (goOn bool) {
	query := r.URL.Query()
	if query.Get("watch") != "true" {
		query.Set("resourceVersion", version)
		query.Set("resourceVersionMatch", "Exact")
		query.Del("limit")
		r.URL.RawQuery = query.Encode()
		return true
	}
	if query.Get("resourceVersion") == version {
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusGone)
	_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}`)
	return false
}

// wait waits, in real time.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// muted is an answer to a watch, which says nothing while watches are silent.
type muted struct {
	http.ResponseWriter
	done <-chan struct{}
	way  *kubeWay
}

// Write implements io.Writer.
func (m *muted) Write(p []byte) (int, error) {
	for {
		suffers, changed := m.way.suffers()
		if !suffers.silent {
			return m.ResponseWriter.Write(p)
		}
		select {
		case <-changed:
		case <-m.done:
			return 0, http.ErrAbortHandler
		}
	}
}

// Unwrap lets a response controller find Flush.
func (m *muted) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// recorder shows statuses of the object to the witness: when they are about to be saved, and
// when they were.
type recorder struct {
	witness *witness.Witness
	by      string // the manager's name
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPut || !strings.HasSuffix(req.URL.Path, "/cloudrunrollouts/web/status") {
		return r.next.RoundTrip(req)
	}
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	ro, err := rolloutOf(sent)
	if err != nil {
		return nil, err
	}
	if err := r.witness.Deciding(&ro.Status); err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(sent))
	answer, err := r.next.RoundTrip(req)
	if err != nil || answer.StatusCode != http.StatusOK {
		return answer, err
	}
	got, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		return nil, err
	}
	if ro, err = rolloutOf(got); err != nil {
		return nil, err
	}
	r.witness.Saved(r.by, &ro.Status)
	answer.Body = io.NopCloser(bytes.NewReader(got))
	return answer, nil
}

// runWay is a manager's way to Cloud Run, on which a write can be held up. The world
// knows the manager by a name of its own: several are the same program.
type runWay struct {
	world  *world
	name   string
	server http.Handler
	end    chan struct{} // closed when the scenario is over

	mu    sync.Mutex
	held  chan *parcel // nil: nothing is held up
	agent string       // how the manager calls itself
	lost  bool         // calls are taken, and never answered
}

// parcel is a write that is held up on its way.
type parcel struct {
	way    *runWay
	late   witness.Late
	sent   *http.Request
	answer chan *httptest.ResponseRecorder
}

func newRunWay(w *world, name string) *runWay {
	return &runWay{world: w, name: name, server: wire.CloudRun(w.guard), end: make(chan struct{})}
}

func (r *runWay) letGo() { close(r.end) }

// holdNext holds the next write up, which is then received from the channel.
func (r *runWay) holdNext() <-chan *parcel {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = make(chan *parcel, 1)
	return r.held
}

// lose takes calls and never answers them, as a network that loses packets; or
// answers again.
func (r *runWay) lose(lost bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = lost
}

// calledBy is how the manager called itself when it called last.
func (r *runWay) calledBy() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.agent
}

// ServeHTTP implements http.Handler.
func (r *runWay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.agent = req.UserAgent()
	req.Header.Set("User-Agent", r.name)
	held, lost := r.held, r.lost
	if req.Method == http.MethodPatch {
		r.held = nil
	}
	r.mu.Unlock()
	if lost {
		select {
		case <-r.end:
		case <-req.Context().Done():
		}
		panic(http.ErrAbortHandler)
	}
	if req.Method != http.MethodPatch || held == nil {
		r.server.ServeHTTP(w, req)
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	sent := req.Clone(context.WithoutCancel(req.Context())) // it arrives even if nobody waits for the answer
	sent.Body = io.NopCloser(bytes.NewReader(body))
	p := &parcel{way: r, late: r.world.witness.Sent(), sent: sent, answer: make(chan *httptest.ResponseRecorder, 1)}
	held <- p
	select {
	case <-r.end:
		panic(http.ErrAbortHandler)
	case answer := <-p.answer:
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}
}

// arrive lets the write reach Cloud Run, and returns the answer's code.
func (p *parcel) arrive() (code int) {
	answer := httptest.NewRecorder()
	p.way.world.witness.Arrive(p.late, func() { p.way.server.ServeHTTP(answer, p.sent) })
	p.answer <- answer
	return answer.Code
}
