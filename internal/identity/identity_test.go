package identity

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/google"
)

const account = "rollouts@acme-prod.iam.gserviceaccount.com"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// api answers in the place of the network.
type api struct {
	mu     sync.Mutex
	asked  []string // paths and bodies
	answer func() (int, string)
}

func (a *api) RoundTrip(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	a.asked = append(a.asked, req.URL.Path+" "+strings.TrimSpace(string(body)))
	if err != nil {
		return nil, err
	}
	code, text := a.answer()
	if code == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)), Request: req,
	}, nil
}

// until answers with a token that ends then.
func until(end time.Time, token string) func() (int, string) {
	return func() (int, string) {
		return http.StatusOK, `{"accessToken":"` + token + `","expireTime":"` + end.Format(time.RFC3339) + `"}`
	}
}

func stage(t *testing.T) (*Bureau, *api, *clocktesting.FakePassiveClock) {
	t.Helper()
	a, clock := &api{answer: until(noon.Add(time.Hour), "one")}, clocktesting.NewFakePassiveClock(noon)
	b, err := New(t.Context(), Options{Endpoint: "http://127.0.0.1:1", UserAgent: "sluice/test", Clock: clock, Transport: a})
	if err != nil {
		t.Fatal(err)
	}
	return b, a, clock
}

// expect asks for a token, and how often the API has been asked by then.
func expect(t *testing.T, tokens *Tokens, a *api, token string, calls int) {
	t.Helper()
	got, err := tokens.Token()
	if err != nil || got.AccessToken != token || len(a.asked) != calls {
		t.Errorf("%v with error %v after %d calls, want %q after %d", got, err, len(a.asked), token, calls)
	}
}

func TestATokenIsAskedForOnceAndRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	b, a, clock := stage(t)
	tokens := b.Of(account)
	if b.Of(account) != tokens || b.Of("other@acme-prod.iam.gserviceaccount.com") == tokens {
		t.Error("tokens are not one for each account")
	}
	expect(t, tokens, a, "one", 1)
	const path = "/v1/projects/-/serviceAccounts/" + account + ":generateAccessToken"
	if want := path + ` {"scope":["https://www.googleapis.com/auth/cloud-platform"]}`; a.asked[0] != want {
		t.Errorf("asked %s, want %s", a.asked[0], want)
	}
	clock.SetTime(noon.Add(54 * time.Minute))
	expect(t, tokens, a, "one", 1)
	clock.SetTime(noon.Add(56 * time.Minute))
	a.answer = until(noon.Add(2*time.Hour), "two")
	expect(t, tokens, a, "two", 2)
	if n := testutil.ToFloat64(b.Counters()); n != 2 {
		t.Errorf("%v calls are counted, want 2", n)
	}
}

// TestATokenThatCannotBeRenewedIsUsedToItsEnd, and the API is asked now and then.
func TestATokenThatCannotBeRenewedIsUsedToItsEnd(t *testing.T) {
	t.Parallel()
	b, a, clock := stage(t)
	tokens := b.Of(account)
	expect(t, tokens, a, "one", 1)
	a.answer = func() (int, string) { return http.StatusServiceUnavailable, `{"error":{"message":"later"}}` }
	clock.SetTime(noon.Add(59 * time.Minute))
	expect(t, tokens, a, "one", 2)
	clock.SetTime(noon.Add(59*time.Minute + 9*time.Second))
	expect(t, tokens, a, "one", 2)
	clock.SetTime(noon.Add(59*time.Minute + 10*time.Second))
	expect(t, tokens, a, "one", 3)
	clock.SetTime(noon.Add(time.Hour))
	got, err := tokens.Token()
	if got != nil || !errors.Is(err, google.ErrUnavailable) || !strings.Contains(err.Error(), "no token of "+account+": later") {
		t.Errorf("%v with error %v", got, err)
	}
	a.answer = until(noon.Add(3*time.Hour), "two")
	clock.SetTime(noon.Add(time.Hour + 10*time.Second))
	expect(t, tokens, a, "two", len(a.asked)+1)
}

// TestWhatCannotBeActedAsIsDenied: what the API says of the account is not taken for
// what another one says of a service.
func TestWhatCannotBeActedAsIsDenied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code int
		text string
		kind error
		want string
	}{
		"not permitted":     {403, `{"error":{"status":"PERMISSION_DENIED","message":"Permission 'iam.serviceAccounts.getAccessToken' denied"}}`, google.ErrDenied, "config/iam/account.yaml"},
		"no such account":   {404, `{"error":{"status":"NOT_FOUND","message":"Not found; Gaia id not found"}}`, google.ErrDenied, "Gaia id"},
		"disabled":          {400, `{"error":{"status":"FAILED_PRECONDITION","message":"disabled"}}`, google.ErrDenied, "disabled"},
		"our own token":     {401, `{"error":{"status":"UNAUTHENTICATED","message":"who?"}}`, google.ErrUnavailable, "who?"},
		"over quota":        {429, `{"error":{"status":"RESOURCE_EXHAUSTED","message":"slow down"}}`, google.ErrUnavailable, "slow down"},
		"nobody answers":    {0, "", google.ErrUnavailable, "connection refused"},
		"no token":          {200, `{"expireTime":"2026-03-01T13:00:00Z"}`, google.ErrUnavailable, "has no token"},
		"a token of no end": {200, `{"accessToken":"one"}`, google.ErrUnavailable, "does not say when it ends"},
		"no JSON":           {200, `<html>`, google.ErrUnavailable, "no token of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, a, _ := stage(t)
			a.answer = func() (int, string) { return c.code, c.text }
			got, err := b.Of(account).Token()
			if got != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v with error %v, want %v", got, err, c.kind)
			}
			if failure := google.Failed("reading", err, nil); failure.Denied() != errors.Is(c.kind, google.ErrDenied) || errors.Is(failure.Kind, google.ErrNotFound) {
				t.Errorf("a call without it fails with %v", failure)
			}
		})
	}
}

// TestARefusedTokenIsRenewed, unless it has just come: another one would fare no better.
func TestARefusedTokenIsRenewed(t *testing.T) {
	t.Parallel()
	b, a, clock := stage(t)
	tokens := b.Of(account)
	expect(t, tokens, a, "one", 1)
	var seen []string
	api := roundTrip(func(req *http.Request) (*http.Response, error) {
		seen = append(seen, req.Header.Get("Authorization"))
		return &http.Response{StatusCode: http.StatusUnauthorized, Body: http.NoBody}, nil
	})
	send := func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:1/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := google.Authorize(api, tokens).RoundTrip(req)
		if err != nil || answer.StatusCode != http.StatusUnauthorized || req.Header.Get("Authorization") != "" {
			t.Errorf("%v with error %v", answer, err)
		}
		_ = answer.Body.Close()
	}
	a.answer = until(noon.Add(time.Hour), "two")
	send()
	expect(t, tokens, a, "one", 1)
	clock.SetTime(noon.Add(10 * time.Second))
	send()
	expect(t, tokens, a, "two", 2)
	if len(seen) != 2 || seen[0] != "Bearer one" || seen[1] != "Bearer one" {
		t.Errorf("sent %q", seen)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestWithoutATokenNothingIsSent, as nobody else either.
func TestWithoutATokenNothingIsSent(t *testing.T) {
	t.Parallel()
	b, a, _ := stage(t)
	a.answer = func() (int, string) { return http.StatusForbidden, `{"error":{"message":"no"}}` }
	sent := &atomic.Int64{}
	way := google.Authorize(roundTrip(func(*http.Request) (*http.Response, error) { sent.Add(1); return nil, errors.New("sent") }), b.Of(account))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://127.0.0.1:1/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	//nolint:bodyclose // there is none
	if answer, err := way.RoundTrip(req); answer != nil || !errors.Is(err, google.ErrDenied) || sent.Load() > 0 {
		t.Errorf("%v with error %v, sent %d", answer, err, sent.Load())
	}
}

// TestWhatIsForgottenIsAskedForAnew, and whoever has it already goes on with it.
func TestWhatIsForgottenIsAskedForAnew(t *testing.T) {
	t.Parallel()
	b, a, _ := stage(t)
	before := b.Of(account)
	if _, err := before.Token(); err != nil {
		t.Fatal(err)
	}
	b.Forget(account)
	b.Forget("nobody@acme-prod.iam.gserviceaccount.com")
	if b.Of(account) == before {
		t.Error("it is remembered")
	}
	if _, err := before.Token(); err != nil || len(a.asked) != 1 {
		t.Errorf("%v, asked %q", err, a.asked)
	}
	if _, err := b.Of(account).Token(); err != nil || len(a.asked) != 2 {
		t.Errorf("%v, asked %q", err, a.asked)
	}
}

// TestManyWhoWaitAskOnce: one call is made for all, and one failure told to all.
func TestManyWhoWaitAskOnce(t *testing.T) {
	t.Parallel()
	b, a, _ := stage(t)
	a.answer = func() (int, string) { return http.StatusServiceUnavailable, "" }
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { _, _ = b.Of(account).Token() })
	}
	all.Wait()
	if len(a.asked) != 1 {
		t.Errorf("the API was asked %d times", len(a.asked))
	}
}

func TestAnEndpointIsThisMachineOrEncrypted(t *testing.T) {
	t.Parallel()
	if _, err := New(t.Context(), Options{Endpoint: "http://example.com"}); err == nil || !strings.Contains(err.Error(), "IAM Service Account Credentials is not https") {
		t.Errorf("error %v", err)
	}
}
