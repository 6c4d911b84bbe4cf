package cloudrun

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// swap is what a rollout.Write says, without its guarantees.
type swap struct {
	etag       string
	generation int64
	targets    []rollout.Entry
	claim      *rollout.Claim
	beside     map[string]string
}

func (s swap) ETag() string                               { return s.etag }
func (s swap) Generation() int64                          { return s.generation }
func (s swap) Targets() []rollout.Entry                   { return s.targets }
func (s swap) Claim() (*rollout.Claim, map[string]string) { return s.claim, s.beside }

var step = swap{etag: `"CNn/x"`, generation: 7, targets: []rollout.Entry{
	{Revision: "web-2", Percent: 5}, {Revision: "web-1", Percent: 95, Tag: rollout.Tag}, {Latest: true, Tag: "newest"},
}}

const (
	patchTarget = "PATCH /v2/" + webName + "?alt=json&prettyPrint=false&updateMask=traffic"
	patchBody   = `{"etag":"\"CNn/x\"","traffic":[` +
		`{"percent":5,"revision":"web-2","type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"},` +
		`{"percent":95,"revision":"web-1","tag":"sluice-stable","type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"},` +
		`{"percent":0,"tag":"newest","type":"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"}]}` + "\n"
)

// accepted is the operation of a write that made a generation.
func accepted(generation string) string {
	return `{"name":"projects/shop/locations/europe-west1/operations/1","metadata":{
	  "@type":"type.googleapis.com/google.cloud.run.v2.Service","name":"` + webName + `","generation":"` + generation + `"}}`
}

func TestAWriteToTheByte(t *testing.T) {
	t.Parallel()
	client, below := dial(t, answering(http.StatusOK, accepted("8")))
	if err := client.swap(t.Context(), web, step); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{patchTarget}, below.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{patchBody}, below.bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
	for name := range below.headers[0] {
		if strings.Contains(strings.ToLower(name), "idempotency") {
			t.Errorf("header %s, with which net/http sends twice", name)
		}
	}
}

func TestAnUnbuiltWriteStopsAtTheFirewall(t *testing.T) {
	t.Parallel()
	client, below := dial(t, answering(http.StatusOK, accepted("8")))
	err := client.SetTraffic(t.Context(), web, rollout.Write{})
	if !errors.Is(err, ErrRefused) || errors.Is(err, ErrAmbiguous) {
		t.Errorf("error %v, want a refusal", err)
	}
	for name, w := range map[string]swap{
		"no entries":         {etag: "x", generation: 7},
		"a sum of 99":        {etag: "x", generation: 7, targets: []rollout.Entry{{Revision: "web-1", Percent: 99}}},
		"traffic to LATEST":  {etag: "x", generation: 7, targets: []rollout.Entry{{Latest: true, Percent: 100}}},
		"a full name":        {etag: "x", generation: 7, targets: []rollout.Entry{{Revision: webName + "/revisions/web-1", Percent: 100}}},
		"an empty etag":      {etag: "", generation: 7, targets: []rollout.Entry{{Revision: "web-1", Percent: 100}}},
		"no revision at all": {etag: "x", generation: 7, targets: []rollout.Entry{{Percent: 100}}},
	} {
		if err := client.swap(t.Context(), web, w); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: error %v, want a refusal", name, err)
		}
	}
	if len(below.requests) > 0 || client.Refused() != 7 {
		t.Errorf("sent %q, refused %d, want none and 7", below.requests, client.Refused())
	}
}

func TestTheClaimGoesWithTheTraffic(t *testing.T) {
	t.Parallel()
	client, below := dial(t, answering(http.StatusOK, accepted("8")))
	w := step
	w.claim = &rollout.Claim{
		Holder:  rollout.Holder{Cluster: "c", Namespace: "shop", Name: "web", UID: "u"},
		Attempt: 2, Seq: 5, Stable: "web-1", Latched: []string{"web-0"},
	}
	w.beside = map[string]string{"team": "web"}
	if err := client.swap(t.Context(), web, w); err != nil {
		t.Fatal(err)
	}
	want := "PATCH /v2/" + webName + "?alt=json&prettyPrint=false&updateMask=traffic%2Cannotations"
	if diff := cmp.Diff([]string{want}, below.requests); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	annotations := `{"annotations":{"rollouts.sluice.dev/claim":"{\"cluster\":\"c\",\"namespace\":\"shop\",\"name\":\"web\",` +
		`\"uid\":\"u\",\"attempt\":2,\"seq\":5,\"stable\":\"web-1\",\"latched\":[\"web-0\"]}","team":"web"},`
	if !strings.HasPrefix(below.bodies[0], annotations) {
		t.Errorf("body %s, want the annotations %s", below.bodies[0], annotations)
	}
}

func TestReadingAClaim(t *testing.T) {
	t.Parallel()
	ours := rollout.Claim{
		Split: rollout.NewSplit(map[string]int64{"web-1": 75, "web-2": 25}),

		Holder: rollout.Holder{Cluster: "c", Namespace: "n", Name: "web", UID: "u"}, Attempt: 1, Seq: 3, Stable: "web-1", Latched: []string{},
	}
	cases := map[string]struct {
		annotations map[string]string
		want        *rollout.Claim
		unread      string
		others      map[string]string
	}{
		"no annotations at all": {},
		"a claim of ours": {
			annotations: map[string]string{ClaimKey: claimed(ours, nil)[ClaimKey], "team": "web"},
			want:        &ours, others: map[string]string{"team": "web"},
		},
		"a claim from a later version, with more in it": {
			annotations: map[string]string{ClaimKey: strings.Replace(claimed(ours, nil)[ClaimKey], "{", `{"more":[1],`, 1)},
			want:        &ours, others: map[string]string{},
		},
		"a claim that is not JSON": {
			annotations: map[string]string{ClaimKey: "mine"}, unread: "it is not JSON", others: map[string]string{},
		},
		"a claim that is longer than any of ours": {
			annotations: map[string]string{ClaimKey: `{"cluster":"c","uid":"u","stable":"` + strings.Repeat("s", 64) + `"}`},
			unread:      "it is longer than any that Sluice writes", others: map[string]string{},
		},
		"a claim that would be ours without what does not print": {
			annotations: map[string]string{ClaimKey: strings.Replace(claimed(ours, nil)[ClaimKey], `"uid":"u"`, `"uid":"u\u0000"`, 1)},
			unread:      "it names what cannot be a name", others: map[string]string{},
		},
		"a claim since a time that we do not write": {
			annotations: map[string]string{ClaimKey: strings.Replace(claimed(ours, nil)[ClaimKey], "{", `{"since":"2026-03-01T12:00:00.5Z",`, 1)},
			want:        &ours, others: map[string]string{},
		},
		"a claim without a holder": {
			annotations: map[string]string{ClaimKey: "{}"}, unread: "it names no cluster and no object", others: map[string]string{},
		},
		"an annotation of Cloud Run's own is not carried along": {
			annotations: map[string]string{"run.googleapis.com/ingress": "all", "a": "b"}, others: map[string]string{"a": "b"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, unread := claimOf(c.annotations)
			if diff := cmp.Diff(c.want, got); diff != "" || unread != c.unread {
				t.Errorf("unread %q, claim (-want +got):\n%s", unread, diff)
			}
			if diff := cmp.Diff(c.others, othersOf(c.annotations)); diff != "" {
				t.Errorf("others (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswersToAWrite(t *testing.T) {
	t.Parallel()
	ok := func(body string) script { return answering(http.StatusOK, body) }
	cases := map[string]struct {
		answer script
		want   error // nil: accepted
		text   string
	}{
		"accepted": {ok(accepted("8")), nil, ""},
		"somebody else wrote in between": {
			ok(accepted("9")), ErrInterleaved, `setting traffic of service "web": somebody else wrote in between: generation 9 followed 7`,
		},
		"no new generation":              {ok(accepted("7")), ErrInterleaved, "generation 7 followed 7"},
		"an answer without a service":    {ok(`{"name":"operations/1"}`), ErrAmbiguous, "answer lost"},
		"a service without a generation": {ok(`{"metadata":{"name":"x"}}`), ErrAmbiguous, "without a generation"},
		"accepted, and failed at once": {
			ok(strings.Replace(accepted("8"), `"metadata"`, `"done":true,"error":{"code":13,"message":"Revision 'web-2' does not exist or is deleted."},"metadata"`, 1)),
			ErrAmbiguous, "does not exist or is deleted",
		},
		"a null":                {ok(`null`), ErrAmbiguous, "answer is empty"},
		"a page":                {ok(`<html>`), ErrAmbiguous, "answer lost"},
		"an empty answer":       {ok(``), ErrAmbiguous, "answer lost"},
		"no content":            {answering(http.StatusNoContent, ``), ErrAmbiguous, "answer lost"},
		"an endless answer":     {ok(`{"name":"` + strings.Repeat("x", 5<<20)), ErrAmbiguous, "too large"},
		"an answer that breaks": {breaking(`{"name":`), ErrAmbiguous, "unexpected EOF"},
		"a stale etag": {
			failing(http.StatusConflict, "ABORTED", "Conflict for resource 'web': version '1' was specified but current version is '2'."),
			ErrConflict, `setting traffic of service "web": changed since it was read: Conflict for resource 'web'`,
		},
		"a conflict of no kind":         {failing(http.StatusConflict, "", "conflict"), ErrConflict, "conflict"},
		"a precondition":                {failing(http.StatusPreconditionFailed, "FAILED_PRECONDITION", "etag"), ErrConflict, "etag"},
		"a revision's name taken":       {failing(http.StatusConflict, "ALREADY_EXISTS", "Revision named 'web-2' with different configuration already exists."), ErrNamedConflict, "Revision named"},
		"the same without a status":     {failing(http.StatusConflict, "", "Revision named 'web-2' with different configuration already exists."), ErrNamedConflict, "Revision named"},
		"over quota":                    {failing(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "Quota exceeded"), ErrThrottled, "over quota"},
		"over quota in an older manner": {failing(http.StatusForbidden, "RESOURCE_EXHAUSTED", "Quota exceeded"), ErrThrottled, "over quota"},
		"denied":                        {failing(http.StatusForbidden, "PERMISSION_DENIED", "no"), ErrDenied, "access denied: no"},
		"denied by a page":              {answering(http.StatusForbidden, `<html>`), ErrDenied, "HTTP 403 Forbidden"},
		"not authenticated":             {failing(http.StatusUnauthorized, "UNAUTHENTICATED", "no"), ErrDenied, "no"},
		"missing":                       {failing(http.StatusNotFound, "NOT_FOUND", "no"), ErrNotFound, "not found"},
		"missing, says a proxy":         {answering(http.StatusNotFound, `<html>`), ErrAmbiguous, "HTTP 404"},
		"invalid":                       {failing(http.StatusBadRequest, "INVALID_ARGUMENT", "no"), ErrInvalid, "no"},
		"500":                           {failing(http.StatusInternalServerError, "INTERNAL", "no"), ErrAmbiguous, "no"},
		"502 from a proxy":              {answering(http.StatusBadGateway, `<html>`), ErrAmbiguous, "HTTP 502 Bad Gateway"},
		"503":                           {failing(http.StatusServiceUnavailable, "UNAVAILABLE", "no"), ErrAmbiguous, "no"},
		"504":                           {failing(http.StatusGatewayTimeout, "DEADLINE_EXCEEDED", "no"), ErrAmbiguous, "no"},
		"a redirect is not followed":    {answering(http.StatusTemporaryRedirect, ``, "Location", "http://127.0.0.1:9/"), ErrAmbiguous, "HTTP 307"},
		"a reset after the request":     {losing(io.ErrUnexpectedEOF), ErrAmbiguous, "unexpected EOF"},
		"no connection":                 {losing(&net.OpError{Op: "dial", Err: errors.New("refused")}), ErrUnavailable, "refused"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, below := dial(t, c.answer)
			err := client.swap(t.Context(), web, step)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("text %q, want one with %q", err, c.text)
			}
			if len(below.requests) != 1 {
				t.Errorf("sent %d times, want once", len(below.requests))
			}
			for kind, is := range kindsOf(err) {
				if is && kind != c.want.Error() {
					t.Errorf("also of kind %q", kind)
				}
			}
		})
	}
}

func kindsOf(err error) map[string]bool {
	kinds := map[string]bool{}
	for _, kind := range []error{
		ErrConflict, ErrNamedConflict, ErrThrottled, ErrDenied, ErrNotFound, ErrInvalid,
		ErrUnavailable, ErrGarbled, ErrAmbiguous, ErrInterleaved, ErrRefused,
	} {
		kinds[kind.Error()] = errors.Is(err, kind)
	}
	return kinds
}

// breaking answers, and breaks off within the body.
func breaking(body string) script {
	return func(*http.Request) outcome { return outcome{code: http.StatusOK, body: body, breaks: true} }
}

func TestAnswersToARead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		answer script
		want   error
	}{
		"not authenticated is no fact about the service": {failing(http.StatusUnauthorized, "UNAUTHENTICATED", "no"), ErrDenied},
		"nor is a proxy's 404":                           {answering(http.StatusNotFound, `<html>`), ErrGarbled},
		"over quota":                                     {failing(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "no"), ErrThrottled},
		"500":                                            {failing(http.StatusInternalServerError, "INTERNAL", "no"), ErrUnavailable},
		"503":                                            {answering(http.StatusServiceUnavailable, ``), ErrUnavailable},
		"a redirect":                                     {answering(http.StatusFound, ``, "Location", "http://127.0.0.1:9/"), ErrGarbled},
		"not modified":                                   {answering(http.StatusNotModified, ``), ErrGarbled},
		"an answer that breaks":                          {breaking(`{"name":`), ErrUnavailable},
		"a reset":                                        {losing(io.ErrUnexpectedEOF), ErrUnavailable},
		"an invalid request":                             {failing(http.StatusBadRequest, "INVALID_ARGUMENT", "no"), ErrInvalid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, below := dial(t, c.answer)
			got, err := client.Service(t.Context(), web)
			if !errors.Is(err, c.want) || got.Presence != "" {
				t.Errorf("error %v, want %v; service %+v", err, c.want, got)
			}
			if len(below.requests) != 1 {
				t.Errorf("sent %d times, want once", len(below.requests))
			}
		})
	}
}

func TestHowLongToWait(t *testing.T) {
	t.Parallel()
	const info = `{"error":{"status":"RESOURCE_EXHAUSTED","message":"no","details":[
	  {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED"},
	  {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12.5s"}]}}`
	cases := map[string]struct {
		body   string
		header []string
		want   time.Duration
	}{
		"nothing said":              {`{}`, nil, 0},
		"seconds":                   {`{}`, []string{"Retry-After", "30"}, 30 * time.Second},
		"a date, by their clock":    {`{}`, []string{"Retry-After", "Sun, 01 Mar 2026 12:00:45 GMT", "Date", "Sun, 01 Mar 2026 12:00:00 GMT"}, 45 * time.Second},
		"a date without a clock":    {`{}`, []string{"Retry-After", "Sun, 01 Mar 2026 12:00:45 GMT"}, 0},
		"a date in the past":        {`{}`, []string{"Retry-After", "Sun, 01 Mar 2026 11:00:00 GMT", "Date", "Sun, 01 Mar 2026 12:00:00 GMT"}, 0},
		"nonsense":                  {`{}`, []string{"Retry-After", "later"}, 0},
		"a negative number":         {`{}`, []string{"Retry-After", "-5"}, 0},
		"a year":                    {`{}`, []string{"Retry-After", "31536000"}, time.Hour},
		"a detail":                  {info, nil, 12500 * time.Millisecond},
		"both: the longer":          {info, []string{"Retry-After", "30"}, 30 * time.Second},
		"both: the longer, again":   {info, []string{"Retry-After", "3"}, 12500 * time.Millisecond},
		"a detail that is nonsense": {strings.Replace(info, "12.5s", "soon", 1), nil, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := dial(t, answering(http.StatusTooManyRequests, c.body, c.header...))
			_, err := client.Service(t.Context(), web)
			var failure *CallError
			if !errors.As(err, &failure) || !errors.Is(err, ErrThrottled) {
				t.Fatalf("error %v, want over quota", err)
			}
			if failure.RetryAfter != c.want {
				t.Errorf("wait %s, want %s", failure.RetryAfter, c.want)
			}
		})
	}
}

func TestErrorTextsAreOneBoundedLineWithoutTheBody(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, answering(http.StatusBadRequest, `{"secret":"hunter2","error":{"message":"`+
		strings.Repeat(`a\n\u202e`, 1000)+`","status":"INVALID_ARGUMENT"}}`))
	_, err := client.Service(t.Context(), web)
	if text := err.Error(); len(text) > 400 || strings.ContainsAny(text, "\n\u202e") || strings.Contains(text, "hunter2") {
		t.Errorf("text %q", text)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	silent := func(req *http.Request) outcome {
		<-req.Context().Done()
		return outcome{err: req.Context().Err()}
	}
	synctest.Test(t, func(t *testing.T) {
		client, _ := dial(t, silent)
		began := time.Now()
		if err := client.swap(t.Context(), web, step); !errors.Is(err, ErrAmbiguous) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a write: %v", err)
		}
		_, err := client.Service(t.Context(), web)
		if !errors.Is(err, ErrUnavailable) || !strings.HasSuffix(err.Error(), "no answer in time") {
			t.Errorf("a read: %v", err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %s, want the timeout twice", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		if err := client.swap(ctx, web, step); !errors.Is(err, ErrAmbiguous) || !errors.Is(err, context.Canceled) {
			t.Errorf("a caller who leaves: %v", err)
		}
	})
}

// TestAConnectionThatBreaksAfterTheRequest drives the real transport: the server
// reads the write and hangs up. The transport must not send it again.
func TestAConnectionThatBreaksAfterTheRequest(t *testing.T) {
	t.Parallel()
	arrived := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet {
			_, _ = io.WriteString(w, serviceJSON)
			return
		}
		body, _ := io.ReadAll(req.Body)
		arrived <- string(body)
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = connection.Close()
		}
	}))
	t.Cleanup(server.Close)
	client, err := New(t.Context(), Options{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Service(t.Context(), web); err != nil { // so that the write takes a used connection
		t.Fatal(err)
	}
	if err := client.swap(t.Context(), web, step); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("error %v, want a lost answer", err)
	}
	server.Close() // after this no further request can arrive
	var bodies []string
	for len(arrived) > 0 {
		bodies = append(bodies, <-arrived)
	}
	if diff := cmp.Diff([]string{patchBody}, bodies); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
}

func TestNobodyListening(t *testing.T) {
	t.Parallel()
	client, err := New(t.Context(), Options{Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.swap(t.Context(), web, step); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a write: %v, want that it was not sent", err)
	}
	if _, err := client.Service(t.Context(), web); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a read: %v", err)
	}
}

// TestARawAnswerOverTheWire shows that what is sent is plain HTTP of known
// length.
func TestARawAnswerOverTheWire(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	lengths := make(chan int64, 1)
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = connection.Close() }()
		req, err := http.ReadRequest(bufio.NewReader(connection))
		if err != nil {
			return
		}
		lengths <- req.ContentLength
		_, _ = io.WriteString(connection, "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n")
	}()
	client, err := New(t.Context(), Options{Endpoint: "http://" + listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.swap(t.Context(), web, step); !errors.Is(err, ErrConflict) {
		t.Errorf("error %v", err)
	}
	if got := <-lengths; got != int64(len(patchBody)) {
		t.Errorf("content length %d, want %d", got, len(patchBody))
	}
}

func TestAWriteToAServiceThatIsKeptRestsOnItsOwnVersionAndCarriesNoClaim(t *testing.T) {
	t.Parallel()
	client, below := dial(t, answering(http.StatusOK, accepted("8")))
	w := step
	w.etag, w.claim, w.beside = `"CNn/x" and more`, &rollout.Claim{Seq: 5}, map[string]string{"team": "web"}
	if err := client.swap(t.Context(), web, unclaimed{w, step.etag}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{patchTarget}, below.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{patchBody}, below.bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
	if err := client.SetTrafficOn(t.Context(), web, rollout.Write{}, step.etag); !errors.Is(err, ErrRefused) {
		t.Errorf("error %v, want a refusal of a write that nobody built", err)
	}
}
