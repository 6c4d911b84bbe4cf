package clock

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// world answers with a time that a test sets; it is silent while broken.
type world struct {
	now    atomic.Int64
	speed  float64
	skew   atomic.Value // of string; as the world writes it
	broken atomic.Bool
	asked  atomic.Int64
}

func (w *world) ServeHTTP(rw http.ResponseWriter, _ *http.Request) {
	w.asked.Add(1)
	if w.broken.Load() {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	if skew, ok := w.skew.Load().(string); ok {
		_, _ = fmt.Fprintf(rw, `{"now": %q, "speed": %v, "skew": %q}`, time.Unix(w.now.Load(), 0).UTC().Format(time.RFC3339), w.speed, skew)
		return
	}
	_, _ = fmt.Fprintf(rw, `{"now": %q, "speed": %v}`, time.Unix(w.now.Load(), 0).UTC().Format(time.RFC3339), w.speed)
}

func dialled(t *testing.T, speed float64) (*world, *clocktesting.FakePassiveClock, *Clock) {
	t.Helper()
	w := &world{speed: speed}
	w.now.Store(noon.Unix())
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	wall := clocktesting.NewFakePassiveClock(noon.AddDate(0, 0, 7))
	c, err := dial(t.Context(), server.URL+"/", wall)
	if err != nil {
		t.Fatal(err)
	}
	return w, wall, c
}

func TestOnlyAWorldOnThisMachineIsTrusted(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"http://example.com:8083", "https://127.0.0.1:8083", "http://10.0.0.1", "http://127.0.0.1.example.com", "127.0.0.1:8083", "http://", "://",
	} {
		if _, err := Dial(t.Context(), address); err == nil {
			t.Errorf("%s was accepted", address)
		}
	}
	if _, err := Dial(t.Context(), "http://127.0.0.1:1"); err == nil || strings.Contains(err.Error(), "allowed") {
		t.Errorf("a loopback address where nobody listens: %v", err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "127.8.8.8", "::1"} {
		if !loopback(host) {
			t.Errorf("%s is loopback", host)
		}
	}
}

func TestBetweenReadingsTimeGoesOnAtTheWorldsSpeed(t *testing.T) {
	t.Parallel()
	w, wall, c := dialled(t, 100)
	asked := w.asked.Load()
	wall.SetTime(wall.Now().Add(10 * time.Millisecond))
	if got := c.Now(); !got.Equal(noon.Add(time.Second)) || w.asked.Load() != asked {
		t.Errorf("got %v after %d more readings", got, w.asked.Load()-asked)
	}
	if c.Speed() != 100 {
		t.Errorf("speed %v", c.Speed())
	}
}

func TestAnOldReadingIsRenewed(t *testing.T) {
	t.Parallel()
	w, wall, c := dialled(t, 0)
	w.now.Store(noon.Add(time.Hour).Unix())
	wall.SetTime(wall.Now().Add(fresh))
	if got := c.Since(noon); got != time.Hour {
		t.Errorf("got %v since noon", got)
	}
}

func TestASilentWorldDoesNotStopTime(t *testing.T) {
	t.Parallel()
	w, wall, c := dialled(t, 10)
	w.broken.Store(true)
	wall.SetTime(wall.Now().Add(time.Minute))
	if got := c.Now(); !got.Equal(noon.Add(10 * time.Minute)) {
		t.Errorf("got %v", got)
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	t.Parallel()
	w, wall, c := dialled(t, 10)
	first := c.Now()
	w.now.Store(noon.Add(-time.Hour).Unix())
	wall.SetTime(wall.Now().Add(time.Second))
	if got := c.Now(); got.Before(first) {
		t.Errorf("%v came after %v", got, first)
	}
}

func TestASkewedClockIsWrongUntilItIsSetRight(t *testing.T) {
	t.Parallel()
	w, wall, c := dialled(t, 0)
	for _, step := range []struct {
		skew string
		want time.Duration
	}{{"90s", 90 * time.Second}, {"-1h", -time.Hour}, {"soon", -time.Hour}, {"0s", 0}} {
		w.skew.Store(step.skew)
		wall.SetTime(wall.Now().Add(fresh))
		if got := c.Now().Sub(noon); got != step.want {
			t.Errorf("with a skew of %q the clock is wrong by %v, want %v", step.skew, got, step.want)
		}
	}
}
