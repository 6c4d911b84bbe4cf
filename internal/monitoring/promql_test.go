package monitoring

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// endpointOf is a small Prometheus endpoint: it answers what the test says, and remembers
// the forms that came.
type endpointOf struct {
	answer http.HandlerFunc

	mu    sync.Mutex
	forms []url.Values
	paths []string
}

func (e *endpointOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	e.mu.Lock()
	e.forms, e.paths = append(e.forms, form), append(e.paths, r.Method+" "+r.URL.Path)
	e.mu.Unlock()
	e.answer(w, r)
}

func (e *endpointOf) calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.forms)
}

// says answers with a status and a body.
func says(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// asking is a client of an endpoint.
func asking(t *testing.T, answer http.HandlerFunc, edits ...func(*Options)) (*Client, *endpointOf) {
	t.Helper()
	e := &endpointOf{answer: answer}
	served := httptest.NewServer(e)
	t.Cleanup(served.Close)
	options := Options{Endpoint: served.URL, UserAgent: "test", Random: func() float64 { return 1 }}
	for _, edit := range edits {
		edit(&options)
	}
	client, err := New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client, e
}

var ownQuery = analysis.Source{
	Project: "shop", Location: "europe-west1", Service: "web", Revision: "web-2", Beside: "web-1",
	Query: `sum(rate(a:b{r="{{candidate}}"}[5m])) / sum(rate(a:b{r="{{stable}}"}[5m]))`,
}

// secondsAt are seconds since 1970 at a number of minutes before noon.
func secondsAt(before int) int64 { return noon.Add(-time.Duration(before) * time.Minute).Unix() }

func matrixOf(series ...string) string {
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]},"infos":["x"]}`
}

func seriesOf(values ...string) string {
	return `{"metric":{},"values":[` + strings.Join(values, ",") + `]}`
}

func TestAQueryIsAskedForMinutesThatHaveArrived(t *testing.T) {
	t.Parallel()
	c, e := asking(t, says(200, matrixOf(seriesOf(fmt.Sprintf(`[%d,"0.25"]`, secondsAt(6)), fmt.Sprintf(`[%d,"NaN"]`, secondsAt(5))))))
	answer := one(t, c, ask(analysis.Value, ownQuery))
	want := url.Values{
		"query": {`sum(rate(a:b{r="web-2"}[5m])) / sum(rate(a:b{r="web-1"}[5m]))`}, "step": {"60"}, "timeout": {"10"},
		"start": {"2026-03-01T11:31:00Z"}, "end": {"2026-03-01T11:55:00Z"},
	}
	if got := e.forms[0]; got.Encode() != want.Encode() {
		t.Errorf("asks %v, want %v", got, want)
	}
	if e.paths[0] != "POST /v1/projects/shop/location/global/prometheus/api/v1/query_range" {
		t.Errorf("at %s", e.paths[0])
	}
	if answer.Cause != analysis.CauseNone || answer.Delay != 5*time.Minute || !answer.Through.Equal(noon.Add(-5*time.Minute)) || len(answer.Points) != 1 ||
		answer.Points[0].Number != 0.25 || !answer.Points[0].End.Equal(noon.Add(-6*time.Minute)) ||
		answer.Detail != "1 minutes are no number, such as after a division by zero" {
		t.Errorf("answered %+v", answer)
	}
}

func TestWhatCannotBeJudgedIsNoData(t *testing.T) {
	t.Parallel()
	value := seriesOf(fmt.Sprintf(`[%d,"1"]`, secondsAt(6)))
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		cause  analysis.Cause
		detail string
	}{
		"nothing is an empty answer":   {says(200, matrixOf()), analysis.CauseNone, ""},
		"several series":               {says(200, matrixOf(value, value, value)), analysis.CauseInvalid, "it gives 3 series: aggregate to one, for example with sum(...)"},
		"a warning":                    {says(200, strings.Replace(matrixOf(value), `"infos"`, `"warnings"`, 1)), analysis.CausePartial, "x"},
		"another kind of answer":       {says(200, `{"status":"success","data":{"resultType":"vector","result":[]}}`), analysis.CauseWrongType, `an answer of the type "vector"`},
		"a point of another time":      {says(200, matrixOf(seriesOf(fmt.Sprintf(`[%d,"1"]`, secondsAt(4))))), analysis.CauseWrongType, "a time that was not asked for"},
		"a point within a minute":      {says(200, matrixOf(seriesOf(fmt.Sprintf(`[%d,"1"]`, secondsAt(6)+1)))), analysis.CauseWrongType, "not asked for"},
		"two values for a minute":      {says(200, matrixOf(seriesOf(fmt.Sprintf(`[%d,"1"],[%d,"2"]`, secondsAt(6), secondsAt(6))))), analysis.CauseWrongType, "two values for one minute"},
		"a value that is none":         {says(200, matrixOf(seriesOf(fmt.Sprintf(`[%d,"much"]`, secondsAt(6))))), analysis.CauseWrongType, `"much" that is no number`},
		"a page of a proxy":            {says(200, "<html>"), analysis.CauseUnavailable, "not one of Prometheus' API"},
		"a mistake in the query":       {says(400, `{"status":"error","errorType":"bad_data","error":"unknown function"}`), analysis.CauseInvalid, "unknown function"},
		"one that is told with a 200":  {says(200, `{"status":"error","errorType":"execution","error":"too many samples"}`), analysis.CauseInvalid, "too many samples"},
		"one that cannot be evaluated": {says(422, `{"status":"error","errorType":"execution","error":"many-to-many"}`), analysis.CauseInvalid, "many-to-many"},
		"no permission": {
			says(403, `{"error":{"code":403,"status":"PERMISSION_DENIED","message":"Permission monitoring.timeSeries.list denied"}}`),
			analysis.CauseDenied, "Permission monitoring.timeSeries.list denied",
		},
		"no such project":    {says(404, `not found`), analysis.CauseInvalid, "HTTP 404 Not Found"},
		"over quota":         {says(429, `{"error":{"message":"Quota exceeded"}}`), analysis.CauseThrottled, "Quota exceeded"},
		"it is down":         {says(503, ``), analysis.CauseUnavailable, "HTTP 503 Service Unavailable"},
		"a redirect":         {says(302, ``, "Location", "http://127.0.0.1:1/"), analysis.CauseUnavailable, "HTTP 302 Found"},
		"more than is read":  {says(200, strings.Repeat("x", maxAnswer+10)), analysis.CauseInvalid, "an answer of more than 1048576 bytes: aggregate"},
		"a series of nulls":  {says(200, matrixOf(`null`)), analysis.CauseNone, ""},
		"an infinite number": {says(200, matrixOf(seriesOf(fmt.Sprintf(`[%d,"+Inf"]`, secondsAt(6))))), analysis.CauseNone, "1 minutes are no number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := asking(t, c.answer)
			answer := one(t, client, ask(analysis.Value, ownQuery))
			if answer.Cause != c.cause || !strings.Contains(answer.Detail, c.detail) || len(answer.Points) > 0 {
				t.Errorf("answered %+v, want %q: %q, and no points", answer, c.cause, c.detail)
			}
		})
	}
}

func TestAQueryIsAskedOnceAMinuteWhateverCameOfIt(t *testing.T) {
	t.Parallel()
	for _, answer := range []http.HandlerFunc{says(200, matrixOf()), says(503, ""), says(400, "")} {
		c, e := asking(t, answer)
		askAt := func(since time.Duration) {
			q := ask(analysis.Value, ownQuery)
			q.Until = noon.Add(time.Hour)
			if _, err := c.Answer(t.Context(), []analysis.Question{q}, noon.Add(since)); err != nil {
				t.Fatal(err)
			}
		}
		for _, since := range []time.Duration{0, 15 * time.Second, 45 * time.Second} {
			askAt(since)
		}
		if n := e.calls(); n != 1 {
			t.Errorf("%d calls in a minute", n)
		}
		askAt(time.Minute)
		if n := e.calls(); n != 2 {
			t.Errorf("%d calls in two minutes", n)
		}
	}
}

// TestAQueryThatIsRefusedShutsNobodyOut: the built-in checks go on asking about the
// project, and after a 429 other queries wait.
func TestAQueryThatIsRefusedShutsNobodyOut(t *testing.T) {
	t.Parallel()
	c, e := asking(t, says(429, `{"error":{"message":"Quota exceeded"}}`, "Retry-After", "120"))
	one(t, c, ask(analysis.Value, ownQuery))
	other := ownQuery
	other.Query = "up"
	answer := one(t, c, ask(analysis.Value, other))
	if answer.Cause != analysis.CauseThrottled || !strings.Contains(answer.Detail, "not asked again before") || e.calls() != 1 {
		t.Errorf("after a 429, with %d calls: %+v", e.calls(), answer)
	}
	if no := c.quotas.Of("shop").Take(func() time.Time { return noon }, 0); no != nil {
		t.Errorf("the project is shut for all: %+v", no)
	}
}

func TestQueriesLeaveHalfOfTheBurstToTheBuiltInChecks(t *testing.T) {
	t.Parallel()
	for taken, want := range map[int]int{0: 10, 4: 6, 10: 0, 15: 0} {
		c, e := asking(t, says(200, matrixOf()), func(o *Options) { o.PerMinute = 60 })
		for range taken { // by built-in checks of the same project
			if no := c.take(c.quotas.Of(ownQuery.Project), newWatch(clock.RealClock{}, noon)); no.cause != analysis.CauseNone {
				t.Fatal(no.detail)
			}
		}
		for i := range 30 {
			q := ownQuery
			q.Query = fmt.Sprintf("up + %d", i)
			one(t, c, ask(analysis.Value, q))
		}
		if n := e.calls(); n != want {
			t.Errorf("after %d calls of built-in checks %d at once of 20, want %d", taken, n, want)
		}
	}
}

func TestNothingIsSentOfAQueryThatIsNone(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*analysis.Source){
		"a project with a path":  func(s *analysis.Source) { s.Project = "shop/../bank" },
		"no PromQL":              func(s *analysis.Source) { s.Query = "up{" },
		"an unknown placeholder": func(s *analysis.Source) { s.Query = `up{a="{{secret}}"}` },
		"a name that is none":    func(s *analysis.Source) { s.Revision = "web\n2" },
	} {
		c, e := asking(t, says(200, matrixOf()))
		q := ownQuery
		edit(&q)
		answer := one(t, c, ask(analysis.Value, q))
		if answer.Cause != analysis.CauseInvalid || e.calls() > 0 {
			t.Errorf("%s: %+v after %d calls", name, answer, e.calls())
		}
	}
}

func TestASlowEndpointIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c, _ := asking(t, func(http.ResponseWriter, *http.Request) { <-release }, func(o *Options) { o.Patience = 50 * time.Millisecond })
	t.Cleanup(func() { close(release) })
	answer := one(t, c, ask(analysis.Value, ownQuery))
	if answer.Cause != analysis.CauseUnavailable || answer.Detail != inTime {
		t.Errorf("answered %+v", answer)
	}
}

func TestWhoseAccessEndedIsNotAskedFor(t *testing.T) {
	t.Parallel()
	c, e := asking(t, says(200, matrixOf()))
	scope := Scope{Admits: func(s analysis.Source) bool { return !s.IsQuery() }}
	answers, err := c.Answer(Within(t.Context(), scope), []analysis.Question{ask(analysis.Value, ownQuery)}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if a := answers.Of(ask(analysis.Value, ownQuery).Series); a.Cause != analysis.CauseDenied || e.calls() > 0 {
		t.Errorf("answered %+v after %d calls", a, e.calls())
	}
}

func TestQueriesAreCountedApart(t *testing.T) {
	t.Parallel()
	c, _ := asking(t, says(422, "{}"))
	one(t, c, ask(analysis.Value, ownQuery))
	if n := testutil.ToFloat64(c.counters.requests.WithLabelValues("QueryRange", "InvalidArgument")); n != 1 {
		t.Errorf("%v counted", n)
	}
}
