package controllers

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// inPlace is how the names of everything in a place begin.
const inPlace = "projects/acme-prod/locations/asia-northeast1/services/"

// place is a project and location of Cloud Run as its API tells of it. Splits
// serve at once. It keeps the paths of what it was asked.
type place struct {
	mu        sync.Mutex
	services  map[string]*hosted
	reads     []string
	writes    []string
	throttled bool // and it says for a minute
	// storm tells of a call, by its method and path, whether it is refused without a word.
	storm func(call string) bool
}

// hosted is a service: its newest revision, how often it was changed, and where
// its traffic goes, as the API writes it.
type hosted struct {
	newest     string
	at         time.Time // it was deployed
	generation int
	traffic    json.RawMessage
}

func newPlace(names ...string) *place {
	p := &place{services: map[string]*hosted{}}
	for _, name := range names {
		traffic := fmt.Sprintf(`[{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "%s-1", "percent": 100}]`, name)
		p.services[name] = &hosted{newest: name + "-1", at: created, generation: 1, traffic: json.RawMessage(traffic)}
	}
	return p
}

// deploy adds a ready revision without traffic.
func (p *place) deploy(name, revision string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.services[name]
	s.newest, s.at, s.generation = revision, at, s.generation+1
}

// asked are the reads and writes since the last time.
func (p *place) asked() (reads, writes []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reads, writes = p.reads, p.writes
	p.reads, p.writes = nil, nil
	return reads, writes
}

func (p *place) RoundTrip(req *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	path := strings.TrimPrefix(req.URL.Path, "/v2/")
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req}
	var body string
	switch name := strings.TrimPrefix(path, inPlace); {
	case p.storm != nil && p.storm(req.Method+" "+path):
		answer.StatusCode, body = http.StatusTooManyRequests, `{"error":{"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`
	case req.Method == http.MethodPatch:
		p.writes = append(p.writes, path)
		body = p.patch(name, req)
	case p.throttled:
		p.reads = append(p.reads, path)
		answer.StatusCode, body = http.StatusTooManyRequests, `{"error":{"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`
		answer.Header.Set("Retry-After", "60")
	default:
		p.reads = append(p.reads, path)
		answer.StatusCode, body = p.get(name, req.URL.Query().Get("pageToken"))
	}
	answer.Body = io.NopCloser(strings.NewReader(body))
	return answer, nil
}

func (p *place) get(name, page string) (int, string) {
	service, revision, ofRevision := strings.Cut(name, "/revisions/")
	switch {
	case strings.HasSuffix(name, "/services"):
		return http.StatusOK, p.list(page)
	case p.services[service] == nil:
		return http.StatusNotFound, `{"error":{"message":"it is not there","status":"NOT_FOUND"}}`
	case ofRevision:
		at := created
		if revision == p.services[service].newest {
			at = p.services[service].at
		}
		return http.StatusOK, fmt.Sprintf(`{"name": "%s%s/revisions/%s", "createTime": %q, "timeout": "60s",
			"containers": [{"image": "example.com/web"}], "conditions": [{"type": "Ready", "state": "CONDITION_SUCCEEDED"}]}`,
			inPlace, service, revision, at.Format("2006-01-02T15:04:05.999999Z"))
	}
	return http.StatusOK, p.tell(service)
}

// list is a page of a hundred services.
func (p *place) list(page string) string {
	from, _ := strconv.Atoi(page)
	names := slices.Sorted(maps.Keys(p.services))
	var told []string
	for _, name := range names[from:min(from+100, len(names))] {
		told = append(told, p.tell(name))
	}
	next := ""
	if from+100 < len(names) {
		next = strconv.Itoa(from + 100)
	}
	return fmt.Sprintf(`{"services": [%s], "nextPageToken": %q}`, strings.Join(told, ","), next)
}

func (p *place) tell(name string) string {
	s := p.services[name]
	newest := inPlace + name + "/revisions/" + s.newest
	return fmt.Sprintf(`{"name": "%s%s", "uid": "uid-%s", "generation": "%d", "observedGeneration": "%d", "etag": "e%d",
		"traffic": %s, "trafficStatuses": %s, "latestReadyRevision": %q, "latestCreatedRevision": %q,
		"terminalCondition": {"type": "Ready", "state": "CONDITION_SUCCEEDED"}}`,
		inPlace, name, name, s.generation, s.generation, s.generation, s.traffic, s.traffic, newest, newest)
}

func (p *place) patch(name string, req *http.Request) string {
	var sent struct {
		Traffic json.RawMessage `json:"traffic"`
	}
	if err := json.NewDecoder(req.Body).Decode(&sent); err != nil {
		return err.Error()
	}
	s := p.services[name]
	s.generation++
	s.traffic = sent.Traffic
	return fmt.Sprintf(`{"metadata": {"generation": "%d"}}`, s.generation)
}
