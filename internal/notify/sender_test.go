package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/utils/clock"
)

var threeInTheMorning = time.Date(2026, 11, 23, 3, 7, 0, 0, time.UTC)

func rolledBack() News {
	return News{
		Namespace: "shop", Name: "web", UID: "7f", Project: "acme-prod", Location: "asia-northeast1", Service: "web",
		Attempt: 3, Phase: "RolledBack", Reason: "RolledBack", Candidate: "web-2", Stable: "web-1", Step: "1/4", Weight: "0%",
		Text: "errors: 5xx 5.33% of 300 requests, limit 1%; web-2 was given up; web-1 serves 100%.",
		Next: "Stays until a new revision is deployed.", Warning: true, At: threeInTheMorning,
	}
}

// place is where news arrive: a transport, so that nothing is on a wire.
type place struct {
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
	answer func(n int) (code int, err error) // to the request of that number, from 1 on
}

func (p *place) RoundTrip(req *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.got, p.bodies = append(p.got, req), append(p.bodies, string(text))
	n := len(p.got)
	p.mu.Unlock()
	code := http.StatusNoContent
	if p.answer != nil {
		if code, err = p.answer(n); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader("said")), Header: http.Header{"Location": {"https://elsewhere.example.com"}}, Request: req}, nil
}

func (p *place) arrived() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got)
}

func oncall(format Format, level Level) Sink {
	return Sink{Name: "oncall", Format: format, Level: level, address: "https://hooks.example.com/T0/secret"}
}

// plays runs a sender in told time, and ends it.
func plays(t *testing.T, p *place, sinks []Sink, play func(*Sender)) (reports []string, s *Sender) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		s = New(sinks, clock.RealClock{}, p, func(sink string, err error) {
			mu.Lock()
			defer mu.Unlock()
			reports = append(reports, sink+": "+err.Error())
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := s.Start(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		play(s)
		synctest.Wait()
	})
	return reports, s
}

func TestNewsAreSentOnceToEverySinkThatWantsThem(t *testing.T) {
	t.Parallel()
	p := &place{}
	quiet := oncall(CloudEvents, Warnings)
	all := oncall(CloudEvents, All)
	all.Name = "all"
	other := oncall(CloudEvents, All)
	other.Name, other.Namespaces = "other", []string{"pay"}
	well := rolledBack()
	well.Warning, well.Reason = false, "Completed"
	_, s := plays(t, p, []Sink{quiet, all, other}, func(s *Sender) {
		for range 3 {
			s.Tell(rolledBack())
		}
		s.Tell(well)
	})
	for sink, want := range map[string]float64{"oncall": 1, "all": 2, "other": 0} {
		if got := testutil.ToFloat64(s.counter.WithLabelValues(sink, sent)); got != want {
			t.Errorf("%s got %v, want %v", sink, got, want)
		}
	}
	if p.arrived() != 3 {
		t.Errorf("%d requests", p.arrived())
	}
}

// TestWhatMayPassIsTriedAgain: six times within half a minute, and not when the sink
// will never take it.
func TestWhatMayPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		answer  func(n int) (int, error)
		tries   int
		result  string
		reports string
	}{
		"a sink that is there again":   {func(n int) (int, error) { return map[bool]int{true: 503, false: 200}[n < 3], nil }, 3, sent, ""},
		"one that stays away":          {func(int) (int, error) { return 503, nil }, 6, failed, "oncall: answered 503, with 4 bytes"},
		"one that has too much to do":  {func(int) (int, error) { return 429, nil }, 6, failed, "oncall: answered 429, with 4 bytes"},
		"one that does not want it":    {func(int) (int, error) { return 400, nil }, 1, failed, "oncall: answered 400, with 4 bytes"},
		"one that sends us elsewhere":  {func(int) (int, error) { return 302, nil }, 1, failed, "oncall: answered 302, with 4 bytes"},
		"one that cannot be connected": {func(int) (int, error) { return 0, errors.New("connection refused") }, 6, failed, "oncall: connection refused"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := &place{answer: c.answer}
			reports, s := plays(t, p, []Sink{oncall(CloudEvents, All)}, func(s *Sender) {
				s.Tell(rolledBack())
				time.Sleep(time.Minute) // of told time
			})
			if p.arrived() != c.tries || testutil.ToFloat64(s.counter.WithLabelValues("oncall", c.result)) != 1 {
				t.Errorf("%d tries, want %d and then %s", p.arrived(), c.tries, c.result)
			}
			if got := strings.Join(reports, "; "); got != c.reports {
				t.Errorf("reported %q, want %q", got, c.reports)
			}
		})
	}
}

func TestASinkThatHangsHoldsUpNeitherTheOthersNorWhoTells(t *testing.T) {
	t.Parallel()
	hanging := oncall(CloudEvents, All)
	hanging.Name, hanging.address = "hanging", "https://hanging.example.com"
	p := &place{}
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		s := New([]Sink{hanging, oncall(CloudEvents, All)}, clock.RealClock{}, transport(func(req *http.Request) (*http.Response, error) {
			if req.URL.Host == "hanging.example.com" {
				select {
				case <-stuck:
				case <-req.Context().Done():
				}
				return nil, errors.New("it hung")
			}
			return p.RoundTrip(req)
		}), func(string, error) {})
		go func() { _ = s.Start(t.Context()) }()
		for n := range waiting + 10 {
			news := rolledBack()
			news.Attempt = int64(n + 1)
			s.Tell(news)
			synctest.Wait() // the other one keeps up
		}
		if n := p.arrived(); n != waiting+10 {
			t.Errorf("the other one got %d", n)
		}
		if n := testutil.ToFloat64(s.counter.WithLabelValues("hanging", dropped)); n != 9 { // one is on its way
			t.Errorf("%v are dropped, want 9", n)
		}
		close(stuck)
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestACloudEvent(t *testing.T) {
	t.Parallel()
	p := &place{}
	sink := oncall(CloudEvents, All)
	sink.key = []byte("a key of sixteen bytes or more")
	plays(t, p, []Sink{sink}, func(s *Sender) { s.Tell(rolledBack()) })
	req := p.got[0]
	if got := req.Header.Get("Content-Type"); got != "application/cloudevents+json; charset=utf-8" {
		t.Error(got)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(p.bodies[0]), &got); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"specversion": "1.0", "id": rolledBack().ID(), "type": "dev.sluice.rollouts.RolledBack", "subject": "shop/web",
		"source": "/apis/rollouts.sluice.dev/v1alpha1/namespaces/shop/cloudrunrollouts/web", "time": "2026-11-23T03:07:00Z",
	} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
	timestamp := req.Header.Get(Timestamp)
	var seconds int64
	if _, err := fmt.Sscan(timestamp, &seconds); err != nil {
		t.Fatal(err)
	}
	if _, want := sign(sink.key, time.Unix(seconds, 0), []byte(p.bodies[0])); req.Header.Get(Signature) != want {
		t.Errorf("signed %s, want %s", req.Header.Get(Signature), want)
	}
	if _, other := sign(sink.key, time.Unix(seconds+1, 0), []byte(p.bodies[0])); req.Header.Get(Signature) == other {
		t.Error("the signature does not depend on the time")
	}
}

// TestTheSignatureIsTheOneThatOthersCompute holds it against that of openssl dgst
// -sha256 -hmac 'a key of sixteen' of the text 1.{} without a newline.
func TestTheSignatureIsTheOneThatOthersCompute(t *testing.T) {
	t.Parallel()
	timestamp, signature := sign([]byte("a key of sixteen"), time.Unix(1, 0), []byte("{}"))
	const want = "v1=8d0c2d4b70cca1a7aea973561b84e3e53c00d3ff9fb3c3b3e11b27bd52369422"
	if timestamp != "1" || signature != want {
		t.Errorf("got %s, %s, want %s", timestamp, signature, want)
	}
}

func TestAMessageForSlack(t *testing.T) {
	t.Parallel()
	news := rolledBack()
	news.Text = "errors: <!channel> & more"
	sink := oncall(Slack, All)
	b, err := sink.bodyFor(news)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Text string }
	if err := json.Unmarshal(b.bytes, &got); err != nil {
		t.Fatal(err)
	}
	want := ":warning: *shop/web* RolledBack at 0%, step 1/4, Nov 23 03:07Z\nerrors: &lt;!channel&gt; &amp; more\n_Next:_ Stays until a new revision is deployed."
	if got.Text != want {
		t.Errorf("got  %q\nwant %q", got.Text, want)
	}
}

func TestTheSameNewsHaveTheSameIDAndOthersAnother(t *testing.T) {
	t.Parallel()
	ids := map[string]string{rolledBack().ID(): "the first"}
	again := rolledBack()
	again.Text, again.Next = "said in other words", ""
	if _, same := ids[again.ID()]; !same {
		t.Error("words make another ID")
	}
	for what, change := range map[string]func(*News){
		"another object":  func(n *News) { n.UID = "80" },
		"another attempt": func(n *News) { n.Attempt++ },
		"another reason":  func(n *News) { n.Reason = "Paused" },
		"another step":    func(n *News) { n.Step = "2/4" },
		"the same later":  func(n *News) { n.At = n.At.Add(time.Minute) },
	} {
		n := rolledBack()
		change(&n)
		if known, taken := ids[n.ID()]; taken {
			t.Errorf("%s has the ID of %s", what, known)
		}
		ids[n.ID()] = what
	}
}

// TestARedirectIsNotFollowed over a wire: what it leads to is never asked.
func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	defer elsewhere.Close()
	redirecting := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer redirecting.Close()
	s := New(nil, clock.RealClock{}, http.DefaultTransport, nil)
	sink := oncall(CloudEvents, All)
	sink.address = redirecting.URL
	if again, err := s.send(t.Context(), sink, body{[]byte("{}"), "application/json"}); again || err == nil {
		t.Errorf("%t, %v", again, err)
	}
	if len(asked) > 0 {
		t.Error("it was followed")
	}
}

// TestOfAnAnswerLittleIsRead: a sink that never stops talking holds up nobody, and
// what it says is told to nobody.
func TestOfAnAnswerLittleIsRead(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusOK, http.StatusBadRequest} {
		talk := &talker{}
		s := New(nil, clock.RealClock{}, transport(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: code, Body: io.NopCloser(talk), Request: req}, nil
		}), nil)
		_, err := s.send(t.Context(), oncall(CloudEvents, All), body{[]byte("{}"), "application/json"})
		if (err == nil) != (code == http.StatusOK) || err != nil && strings.Contains(err.Error(), "x") {
			t.Errorf("%d: %v", code, err)
		}
		if talk.said > answer {
			t.Errorf("%d: %d bytes were read, want at most %d", code, talk.said, answer)
		}
	}
}

// talker is a body without an end.
type talker struct{ said int }

func (b *talker) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	b.said += len(p)
	return len(p), nil
}
