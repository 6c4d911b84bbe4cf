package dashboard_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/dashboard"
)

// longest is how long a test waits for what must come, on a busy machine.
const longest = time.Minute

// stream is an open stream of events, line by line.
type stream struct {
	t       *testing.T
	events  chan string
	process *clocktesting.FakeClock
	page    *dashboard.Server
	url     string
}

// listen opens a stream to a page whose time is the test's.
func listen(t *testing.T) *stream {
	t.Helper()
	o := options(everything(t))
	process := clocktesting.NewFakeClock(time.Now())
	o.Process = process
	page := dashboard.New(o)
	server := httptest.NewServer(page.Handler())
	t.Cleanup(server.Close)
	s := &stream{t: t, events: make(chan string, 16), process: process, page: page, url: server.URL}
	opened := s.open()
	if got := opened.header.Get("Content-Type"); opened.code != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("%d %s", opened.code, got)
	}
	go func() {
		defer close(s.events)
		for opened.lines.Scan() {
			if name, is := strings.CutPrefix(opened.lines.Text(), "event: "); is {
				s.events <- name
			}
		}
	}()
	return s
}

// opened is the answer to a browser that wants to listen.
type opened struct {
	code   int
	header http.Header
	lines  *bufio.Scanner
}

func (s *stream) open() opened {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/events", http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	return opened{resp.StatusCode, resp.Header, bufio.NewScanner(resp.Body)}
}

// hears waits for the next event; "" is the end.
func (s *stream) hears(want string) {
	s.t.Helper()
	select {
	case got := <-s.events:
		if got != want {
			s.t.Fatalf("heard %q, want %q", got, want)
		}
	case <-time.After(longest):
		s.t.Fatalf("heard nothing, want %q", want)
	}
}

// passes lets time pass once the stream waits for so many timers.
func (s *stream) passes(d time.Duration, timers int) {
	s.t.Helper()
	deadline := time.Now().Add(longest)
	for s.process.Waiters() != timers {
		if time.Now().After(deadline) {
			s.t.Fatalf("the stream waits for %d timers, not %d", s.process.Waiters(), timers)
		}
		time.Sleep(time.Millisecond) // a fake clock tells nobody who waits for it
	}
	s.process.Step(d)
}

// Timers that a stream waits for: its end, with the next beat or with its rest.
const waiting = 2

func TestAStreamTellsOfAChangeAtOnceAndOfManyOnce(t *testing.T) {
	t.Parallel()
	s := listen(t)
	ro := object(t, "held")
	s.page.Seen(&ro)
	s.hears("changed")
	for range 100 { // while it rests
		s.page.Seen(&ro)
	}
	s.passes(time.Second, waiting)
	s.hears("changed")
	s.passes(time.Second, waiting)
	s.passes(15*time.Second, waiting) // the hundred were one
	s.hears("beat")
}

func TestAStreamBeatsWhenNothingHappensAndEndsAfterAWhile(t *testing.T) {
	t.Parallel()
	s := listen(t)
	for range 3 {
		s.passes(15*time.Second, waiting)
		s.hears("beat")
	}
	s.passes(5*time.Minute, waiting)
	for name := range s.events {
		if name != "beat" {
			t.Errorf("heard %q at the end", name)
		}
	}
}

func TestTheNumberOfStreamsIsBounded(t *testing.T) {
	t.Parallel()
	s := listen(t)
	for i := 2; ; i++ {
		answer := s.open()
		if answer.code == http.StatusOK && i <= 64 {
			continue
		}
		if answer.code != http.StatusServiceUnavailable || i != 65 || answer.header.Get("Retry-After") == "" {
			t.Errorf("stream %d: %d", i, answer.code)
		}
		return
	}
}

func TestStreamsEndWithTheServer(t *testing.T) {
	t.Parallel()
	o := options(everything(t))
	o.Address = "127.0.0.1:0"
	page := dashboard.New(o)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- page.Start(ctx) }()
	s := &stream{t: t, page: page, url: "http://" + page.Bound(t.Context())}
	lines := s.open().lines
	stop()
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "event") {
			t.Errorf("heard %q", lines.Text())
		}
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(longest):
		t.Error("the server does not end while a stream is open")
	}
}

func TestAPageWhoseAddressIsTakenSaysSo(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	o := options(everything(t))
	o.Address = strings.TrimPrefix(server.URL, "http://")
	if err := dashboard.New(o).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "listening for the page") {
		t.Errorf("got %v", err)
	}
}
