package cloudrun

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

var web = rollout.ServiceRef{Project: "shop", Location: "europe-west1", Name: "web"}

const (
	webName = "projects/shop/locations/europe-west1/services/web"

	serviceJSON = `{
	  "name": "projects/shop/locations/europe-west1/services/web",
	  "uid": "00983b4f", "generation": "7", "observedGeneration": "6", "etag": "\"CNn/x\"", "reconciling": true,
	  "traffic": [
	    {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "web-1", "percent": 100, "tag": "blue"},
	    {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "tag": "newest"}
	  ],
	  "terminalCondition": {"type": "Ready", "state": "CONDITION_PENDING"},
	  "latestReadyRevision": "projects/123/locations/europe-west1/services/web/revisions/web-1",
	  "latestCreatedRevision": "projects/123/locations/europe-west1/services/web/revisions/web-2",
	  "trafficStatuses": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "web-1", "percent": 100, "uri": "https://x"}],
	  "aFieldFromTheFuture": {"a": [1]}
	}`

	revisionJSON = `{
	  "name": "projects/shop/locations/europe-west1/services/web/revisions/web-2",
	  "createTime": "2026-03-01T11:00:00.123456Z", "timeout": "300s",
	  "vpcAccess": {"networkInterfaces": [{"network": "default"}], "egress": "ALL_TRAFFIC"},
	  "containers": [{"image": "sidecar@sha256:1"}, {"image": "web@sha256:2", "ports": [{"containerPort": 8080}]}],
	  "conditions": [
	    {"type": "Active", "state": "CONDITION_FAILED", "revisionReason": "RETIRED", "message": "Revision retired."},
	    {"type": "Ready", "state": "CONDITION_SUCCEEDED"}
	  ]
	}`
)

// outcome is an HTTP answer, or the failure to get one.
type outcome struct {
	code   int
	body   string
	header []string // names and values in turn
	breaks bool     // off after the body
	err    error
}

// script says what a request is answered.
type script func(*http.Request) outcome

// memory is a transport that answers from a script and remembers what it was
// sent.
type memory struct {
	script script

	mu       sync.Mutex
	requests []string // "METHOD request-URI"
	bodies   []string
	headers  []http.Header
}

func (m *memory) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	m.mu.Lock()
	m.requests = append(m.requests, req.Method+" "+req.URL.RequestURI())
	m.bodies, m.headers = append(m.bodies, body), append(m.headers, req.Header)
	m.mu.Unlock()

	r := m.script(req)
	if r.err != nil {
		return nil, r.err
	}
	answer := &http.Response{StatusCode: r.code, Header: http.Header{"Content-Type": {"application/json"}}, Request: req}
	for pair := range slices.Chunk(r.header, 2) {
		answer.Header.Set(pair[0], pair[1])
	}
	answer.Body = io.NopCloser(strings.NewReader(r.body))
	if r.breaks {
		answer.Body = io.NopCloser(io.MultiReader(strings.NewReader(r.body), iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return answer, nil
}

// answering gives every request one HTTP answer.
func answering(code int, body string, header ...string) script {
	return func(*http.Request) outcome { return outcome{code: code, body: body, header: header} }
}

// failing answers with an error body as Google's APIs write it.
func failing(code int, status, message string) script {
	return answering(code, `{"error":{"message":"`+message+`","status":"`+status+`"}}`)
}

// losing gives no answer.
func losing(err error) script {
	return func(*http.Request) outcome { return outcome{err: err} }
}

func dial(t *testing.T, answers script) (*Client, *memory) {
	t.Helper()
	below := &memory{script: answers}
	client, err := New(t.Context(), Options{
		Endpoint: "http://127.0.0.1:8080", UserAgent: "sluice/test", Timeout: time.Second, Transport: below,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, below
}
