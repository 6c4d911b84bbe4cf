package main

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
)

// told is what the world was told.
type told struct{ calls []string }

func (t *told) call(_ context.Context, method, path string, _, _ any) error {
	t.calls = append(t.calls, method+" "+path)
	return nil
}

// playing is the demo's page before a manager's page.
func playing(t *testing.T) (http.Handler, *told) {
	t.Helper()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/assets/page.js" {
			w.Header().Set("Content-Type", "text/javascript")
		}
		_, _ = w.Write([]byte(`<body><a class="skip" href="#main">Skip</a><main id="main"></main>`))
	}))
	t.Cleanup(page.Close)
	world := &told{}
	handler, err := director(page.URL, world.call)
	if err != nil {
		t.Fatal(err)
	}
	return handler, world
}

func press(t *testing.T, h http.Handler, trick string, header map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:9/world", strings.NewReader(url.Values{"trick": {trick}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestThePageOfTheDemoHasAButtonForEachTrick(t *testing.T) {
	t.Parallel()
	handler, _ := playing(t)
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9"+path, http.NoBody))
		return w
	}
	page := get("/")
	for _, trick := range tricks {
		if !strings.Contains(page.Body.String(), `value="`+trick.name+`"`) {
			t.Errorf("no button for %s", trick.name)
		}
	}
	if got := page.Header().Get("Content-Security-Policy"); got != "default-src 'none'; form-action 'self'" {
		t.Errorf("policy %q", got)
	}
	if strings.Index(page.Body.String(), "<form") > strings.Index(page.Body.String(), "<main") {
		t.Error("the buttons are in what the page renews")
	}
	if strings.Contains(get("/assets/page.js").Body.String(), "<form") {
		t.Error("there are buttons in the script")
	}
}

// nothing is a world without rollouts.
type nothing struct{}

// Rollouts implements dashboard.Source.
func (nothing) Rollouts(context.Context) ([]v1alpha1.CloudRunRollout, error) { return nil, nil }

// TestTheManagersOwnPageGetsTheButtons: the buttons find their place in the page that
// there really is, and its stream comes through.
func TestTheManagersOwnPageGetsTheButtons(t *testing.T) {
	t.Parallel()
	manager := httptest.NewServer(dashboard.New(dashboard.Options{Source: nothing{}, Clock: clock.RealClock{}, Process: clock.RealClock{}}).Handler())
	t.Cleanup(manager.Close)
	t.Cleanup(manager.CloseClientConnections)
	handler, err := director(manager.URL, (&told{}).call)
	if err != nil {
		t.Fatal(err)
	}
	demo := httptest.NewServer(handler)
	t.Cleanup(demo.Close)
	t.Cleanup(demo.CloseClientConnections)
	for path, want := range map[string]string{"/": `value="mend"`, "/events": "retry: "} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, demo.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for lines := bufio.NewScanner(answer.Body); !found && lines.Scan(); {
			found = strings.Contains(lines.Text(), want)
		}
		_ = answer.Body.Close()
		if !found || answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %d without %q", path, answer.StatusCode, want)
		}
	}
}

func TestAButtonChangesTheWorld(t *testing.T) {
	t.Parallel()
	handler, world := playing(t)
	for _, trick := range tricks {
		if w := press(t, handler, trick.name, map[string]string{"Sec-Fetch-Site": "same-origin"}); w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d %s", trick.name, w.Code, w.Body)
		}
	}
	want := "POST /deploy,POST /deploy,POST /deploy,POST /faults,POST /faults,POST /traffic,DELETE /faults"
	if got := strings.Join(world.calls, ","); got != want {
		t.Errorf("the world was told %s, want %s", got, want)
	}
}

// TestThePageSaysWhichTrickWasDone, as many change nothing on it for a while; nothing
// else that is in an address gets into the page.
func TestThePageSaysWhichTrickWasDone(t *testing.T) {
	t.Parallel()
	handler, _ := playing(t)
	get := func(path string) string {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9"+path, http.NoBody))
		return w.Body.String()
	}
	led := press(t, handler, "silence", map[string]string{"Sec-Fetch-Site": "same-origin"}).Header().Get("Location")
	if page := get(led); !strings.Contains(page, "Done: Lose the metrics.") {
		t.Errorf("%s says\n%s", led, page)
	}
	for _, path := range []string{"/", "/?done=", "/?done=%3Cb%3E"} {
		if page := get(path); strings.Contains(page, "Done") || strings.Count(page, "<b>") != 1 {
			t.Errorf("%s says\n%s", path, page)
		}
	}
}

// TestANameThatWasTurnedHereIsNotLetIn: to a browser such a site is the page itself, so
// it could read what the page shows and press its buttons.
func TestANameThatWasTurnedHereIsNotLetIn(t *testing.T) {
	t.Parallel()
	handler, world := playing(t)
	for host, want := range map[string]int{
		"127.0.0.1:9": http.StatusOK, "localhost:9": http.StatusOK, "[::1]:9": http.StatusOK,
		"evil.example:9": http.StatusMisdirectedRequest, "127.0.0.1.evil.example:9": http.StatusMisdirectedRequest,
		"10.0.0.1:9": http.StatusMisdirectedRequest, "": http.StatusMisdirectedRequest,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9/", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://evil.example:9/world", strings.NewReader("trick=errors"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	if handler.ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest || len(world.calls) != 0 {
		t.Errorf("a button under another name: %d, and the world was told %v", w.Code, world.calls)
	}
}

func TestAnotherSiteCannotPressAButton(t *testing.T) {
	t.Parallel()
	handler, world := playing(t)
	for name, header := range map[string]map[string]string{
		"by a form":                   {"Sec-Fetch-Site": "cross-site"},
		"from another port":           {"Sec-Fetch-Site": "same-site"},
		"from a browser that is old":  {"Origin": "http://evil.example"},
		"from a page without a place": {"Origin": "null"},
	} {
		if w := press(t, handler, "errors", header); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := press(t, handler, "nothing", nil); w.Code != http.StatusNotFound {
		t.Errorf("a trick that there is not: %d", w.Code)
	}
	if len(world.calls) != 0 {
		t.Errorf("the world was told %v", world.calls)
	}
}
