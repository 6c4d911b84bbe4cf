// Package identity has the access tokens of Google service accounts that the manager
// may act as. They come from the IAM Service Account Credentials API, asked with the
// manager's own identity, which needs iam.serviceAccounts.getAccessToken on each of
// them (config/iam/account.yaml). Where there is no token there is none of
// anybody else in its place.
//
// What the API does is taken from its discovery document (iamcredentials v1, in
// google.golang.org/api v0.311.0): projects/-/serviceAccounts/EMAIL:generateAccessToken,
// tokens of an hour unless a shorter lifetime is asked for.
package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/oauth2"
	iam "google.golang.org/api/iamcredentials/v1"
	"google.golang.org/api/option"
	htransport "google.golang.org/api/transport/http"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/google"
)

const (
	// DefaultEndpoint is the API's public address.
	DefaultEndpoint = "https://iamcredentials.googleapis.com/"

	// defaultTimeout limits one call: whoever waits for a token may have a way back to send.
	defaultTimeout = 5 * time.Second
	// early is how long before its end a token is renewed, so that it outlives the call
	// that it is sent with and outages of the API that are shorter.
	early = 5 * time.Minute
	// wait is how long after a failure the API is not asked again for an account.
	wait = 10 * time.Second
	// maxAnswer is the largest body that is read, in bytes.
	maxAnswer = 64 << 10
)

// Options say how to reach the API. The zero value reaches the public one with the
// process's application default credentials.
type Options struct {
	// Endpoint is an https address, or an http address of this machine, which is
	// spoken to without credentials. Empty means DefaultEndpoint.
	Endpoint string
	// UserAgent is added to every request.
	UserAgent string
	// Clock is real time, in which tokens end. Required.
	Clock clock.PassiveClock
	// Timeout limits each call; 0 means 5 s.
	Timeout time.Duration
	// Transport carries the requests; nil means the network.
	Transport http.RoundTripper
}

// Bureau has the tokens of all accounts. It is safe for concurrent use.
type Bureau struct {
	api   *iam.Service
	clock clock.PassiveClock
	calls *prometheus.CounterVec
	// limited is the context of a call. Whoever asks first asks for all, and may go
	// before the others do: it is nobody's who asks.
	limited func() (context.Context, context.CancelFunc)

	mu       sync.Mutex
	accounts map[string]*Tokens
}

// New makes a bureau. It fails on an endpoint that it may not use, and without
// credentials for one that needs them; it makes no call.
func New(ctx context.Context, options Options) (*Bureau, error) {
	at, err := google.ParseEndpoint("IAM Service Account Credentials", cmp.Or(options.Endpoint, DefaultEndpoint))
	if err != nil {
		return nil, err
	}
	b := &Bureau{
		clock: options.Clock, accounts: map[string]*Tokens{},
		limited: func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(options.Timeout, defaultTimeout))
		},
		calls: google.NewCalls("iamcredentials"),
	}
	var transport http.RoundTripper = &meter{options.Transport, b.calls}
	if options.Transport == nil {
		transport = &meter{google.Network(), b.calls}
	}
	if !at.Plain {
		if transport, err = htransport.NewTransport(ctx, transport, option.WithScopes(iam.CloudPlatformScope)); err != nil {
			return nil, fmt.Errorf("finding credentials for %s: %w", at.URL(), err)
		}
	}
	client := &http.Client{Transport: transport, CheckRedirect: google.NoRedirect}
	if b.api, err = iam.NewService(ctx, option.WithHTTPClient(client), option.WithEndpoint(at.URL())); err != nil {
		return nil, fmt.Errorf("building the IAM Service Account Credentials client: %w", err)
	}
	b.api.UserAgent = options.UserAgent
	return b, nil
}

// Counters are the calls of the API, by method and HTTP status; the status of a call
// without an answer is "none".
func (b *Bureau) Counters() prometheus.Collector { return b.calls }

// Of are the tokens of an account, an e-mail address. They are the same for all who ask.
func (b *Bureau) Of(account string) *Tokens {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, known := b.accounts[account]
	if !known {
		t = &Tokens{bureau: b, account: account}
		b.accounts[account] = t
	}
	return t
}

// Forget drops the tokens of an account. Whoever has them already may go on with them.
func (b *Bureau) Forget(account string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.accounts, account)
}

// Tokens are the access tokens of one account. They implement [google.Tokens].
type Tokens struct {
	bureau  *Bureau
	account string

	mu     sync.Mutex // held while the API is asked, so that many who wait ask once
	token  *oauth2.Token
	since  time.Time // when it came
	failed *google.IdentityError
	again  time.Time // when the API may be asked again after that
}

// Token gives a token that is good for a while. Every error is a *google.IdentityError.
func (t *Tokens) Token() (*oauth2.Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.bureau.clock.Now()
	if t.token != nil && now.Before(t.token.Expiry.Add(-early)) {
		return t.token, nil
	}
	if !now.Before(t.again) {
		t.renew()
		now = t.bureau.clock.Now()
	}
	if t.token != nil && now.Before(t.token.Expiry) {
		return t.token, nil // it could not be renewed, and is still good
	}
	return nil, t.failed
}

// Refused implements [google.Tokens]. One that is refused as soon as it comes is kept for
// a moment: another one would fare no better.
func (t *Tokens) Refused(token *oauth2.Token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token && t.bureau.clock.Since(t.since) >= wait {
		t.token = nil
	}
}

// renew asks the API. The lock is held.
func (t *Tokens) renew() {
	ctx, cancel := t.bureau.limited()
	defer cancel()
	answer, err := t.bureau.api.Projects.ServiceAccounts.GenerateAccessToken("projects/-/serviceAccounts/"+t.account,
		&iam.GenerateAccessTokenRequest{Scope: []string{iam.CloudPlatformScope}}).Context(ctx).Do()
	if err != nil {
		t.fail(google.Failed("asking for a token", err, google.KindOf))
		return
	}
	end, err := time.Parse(time.RFC3339, answer.ExpireTime)
	if err != nil || answer.AccessToken == "" {
		t.fail(&google.CallError{Kind: google.ErrGarbled, Detail: "an answer that has no token, or does not say when it ends"})
		return
	}
	t.token = &oauth2.Token{AccessToken: answer.AccessToken, TokenType: "Bearer", Expiry: end}
	t.since, t.failed, t.again = t.bureau.clock.Now(), nil, time.Time{}
}

// fail notes why there is no token. A denial is one for the account: what an API says of
// a service account must not be taken for what another says of a service.
func (t *Tokens) fail(failure *google.CallError) {
	t.again = t.bureau.clock.Now().Add(max(wait, failure.RetryAfter))
	why := strings.TrimSuffix(failure.Detail, ".")
	t.failed = &google.IdentityError{Kind: google.ErrUnavailable, Detail: fmt.Sprintf("no token of %s: %s", t.account, why)}
	if failure.Denied() || errors.Is(failure.Kind, google.ErrNotFound) || errors.Is(failure.Kind, google.ErrInvalid) {
		t.failed = &google.IdentityError{Kind: google.ErrDenied, Detail: fmt.Sprintf(
			"no token of %s: %s; the platform team would grant the manager's account iam.serviceAccounts.getAccessToken on it (config/iam/account.yaml)",
			t.account, why)}
	}
}

// meter counts the calls and limits what comes back.
type meter struct {
	next  http.RoundTripper
	calls *prometheus.CounterVec
}

func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, err := m.next.RoundTrip(req)
	if err != nil {
		m.calls.WithLabelValues("serviceAccounts.generateAccessToken", "none").Inc()
		return nil, err
	}
	m.calls.WithLabelValues("serviceAccounts.generateAccessToken", strconv.Itoa(answer.StatusCode)).Inc()
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	return answer, nil
}
