package page

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
)

// changing is a world that is different from the second look on. It tells each look.
type changing struct {
	world
	mu    sync.Mutex
	looks int
	tell  func(look int)
}

// Rollouts implements dashboard.Source.
func (c *changing) Rollouts(ctx context.Context) ([]v1alpha1.CloudRunRollout, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks++
	c.tell(c.looks)
	all, err := c.world.Rollouts(ctx)
	if c.looks == 1 {
		return all, err
	}
	all = append([]v1alpha1.CloudRunRollout(nil), all...)
	for i := range all {
		all[i].Status.NextAction = "Something else happens next."
	}
	return all, err
}

// listening does something as soon as a stream has begun.
type listening struct {
	http.ResponseWriter
	once sync.Once
	then func()
}

// Write implements io.Writer.
func (l *listening) Write(text []byte) (int, error) {
	defer l.once.Do(l.then)
	return l.ResponseWriter.Write(text)
}

// Unwrap lets the stream be flushed.
func (l *listening) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// held serves a page that has a picture which comes only when it is let go: until
// then a browser has not loaded the page, and does not print it.
func held(page *dashboard.Server, ro *v1alpha1.CloudRunRollout, letGo <-chan struct{}) http.Handler {
	inner := page.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/held":
			select {
			case <-letGo:
			case <-r.Context().Done():
			}
		case r.URL.Path == "/events":
			inner.ServeHTTP(&listening{ResponseWriter: w, then: func() { page.Seen(ro) }}, r)
		case strings.HasPrefix(r.URL.Path, "/rollouts/"):
			made := httptest.NewRecorder()
			inner.ServeHTTP(made, r)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", made.Header().Get("Content-Security-Policy"))
			_, _ = w.Write(bytes.Replace(made.Body.Bytes(), []byte("</main>"), []byte(`</main><img src="/held" alt="">`), 1))
		default:
			inner.ServeHTTP(w, r)
		}
	})
}

// TestABrowserShowsAChangeByItself opens a page and lets the world change as soon as
// the browser listens. When the browser has asked for the page a third time, what it
// was answered the second time is in its place.
func TestABrowserShowsAChangeByItself(t *testing.T) {
	t.Parallel()
	browser(t)
	w := &changing{world: read(t)}
	page, ro := pageOf(w), &w.world[0]
	letGo := make(chan struct{})
	w.tell = func(look int) {
		switch look {
		case 2:
			page.Seen(ro)
		case 3:
			close(letGo)
		}
	}
	server := httptest.NewServer(held(page, ro, letGo))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	shown := open(t, server.URL+"/rollouts/"+ro.Namespace+"/"+ro.Name)
	if got := shown.shown("next"); got != "Something else happens next." {
		t.Errorf("the browser shows %q", got)
	}
	if !strings.Contains(shown.text, `id="lost" class="banner" role="status" hidden=""`) {
		t.Error("the browser complains of a manager that answers")
	}
}
