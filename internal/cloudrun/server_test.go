package cloudrun

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
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

// memory is a transport that answers from memory and remembers what it was sent.
type memory struct {
	answer func(*http.Request) (*http.Response, error)

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
	answer, err := m.answer(req)
	if answer != nil {
		answer.Request = req
	}
	return answer, err
}

// answering gives every request one HTTP answer.
func answering(code int, body string, header ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		answer := &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}}
		for i := 0; i+1 < len(header); i += 2 {
			answer.Header.Set(header[i], header[i+1])
		}
		answer.Body = io.NopCloser(strings.NewReader(body))
		return answer, nil
	}
}

// failing writes an error body as Google's APIs do.
func failing(code int, status, message string) func(*http.Request) (*http.Response, error) {
	return answering(code, `{"error":{"message":"`+message+`","status":"`+status+`"}}`)
}

func dial(t *testing.T, answer func(*http.Request) (*http.Response, error)) (*Client, *memory) {
	t.Helper()
	below := &memory{answer: answer}
	client, err := New(t.Context(), Options{
		Endpoint: "http://127.0.0.1:8080", UserAgent: "sluice/test", Timeout: time.Second, Transport: below,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, below
}
