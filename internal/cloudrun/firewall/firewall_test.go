package firewall

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	service = "https://run.googleapis.com/v2/projects/shop/locations/europe-west1/services/web"
	masked  = service + "?alt=json&prettyPrint=false&updateMask=traffic"
	good    = `{"etag":"\"x\"","traffic":[` +
		`{"percent":5,"revision":"web-2","type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"},` +
		`{"percent":95,"revision":"web-1","tag":"sluice-stable","type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"},` +
		`{"tag":"newest","type":"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"}]}` + "\n"
	whole = `[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"web-1","percent":100}]`
)

// wire remembers what reached it, byte for byte.
type wire struct {
	requests []*http.Request
	bodies   []string
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	w.requests, w.bodies = append(w.requests, req), append(w.bodies, body)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
}

func patch(t *testing.T, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPatch, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req
}

func TestWhatPasses(t *testing.T) {
	t.Parallel()
	cases := map[string]func(t *testing.T) *http.Request{
		"a read": func(t *testing.T) *http.Request {
			t.Helper()
			req, _ := http.NewRequest(http.MethodGet, service+"/revisions/web-1?alt=json", http.NoBody)
			return req
		},
		"a traffic compare-and-swap": func(t *testing.T) *http.Request { t.Helper(); return patch(t, masked, good) },
		"one with only the mask":     func(t *testing.T) *http.Request { t.Helper(); return patch(t, service+"?updateMask=traffic", good) },
		"one with the claim": func(t *testing.T) *http.Request {
			t.Helper()
			return patch(t, service+"?updateMask=traffic%2Cannotations",
				`{"annotations":{"rollouts.sluice.dev/claim":"{}","team":"web"},"etag":"x","traffic":`+whole+`}`)
		},
		"one that names the service": func(t *testing.T) *http.Request {
			t.Helper()
			return patch(t, masked, `{"name":"projects/shop/locations/europe-west1/services/web","etag":"x","traffic":`+whole+`}`)
		},
		"a template compare-and-swap": func(t *testing.T) *http.Request { t.Helper(); return patch(t, templateMasked, goodTemplate) },
		"a template that names the service": func(t *testing.T) *http.Request {
			t.Helper()
			return patch(t, service+"?updateMask=template", strings.Replace(goodTemplate, "{", `{"name":"projects/shop/locations/europe-west1/services/web",`, 1))
		},
		"one for a domain's project": func(t *testing.T) *http.Request {
			t.Helper()
			return patch(t, "https://h/v2/projects/example.com:shop/locations/us-east1/services/web?updateMask=traffic", good)
		},
		"a chunked body of unknown length": func(t *testing.T) *http.Request {
			t.Helper()
			req := patch(t, masked, good)
			req.Body, req.ContentLength, req.GetBody = io.NopCloser(strings.NewReader(good)), -1, nil
			req.TransferEncoding = []string{"chunked"}
			return req
		},
	}
	for name, build := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := &wire{}
			wall := New(below)
			req := build(t)
			answer, err := wall.RoundTrip(req)
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if err := answer.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if len(below.requests) != 1 || wall.Refused() != 0 {
				t.Errorf("sent %d, refused %d, want 1 and 0", len(below.requests), wall.Refused())
			}
			if req.Method == http.MethodGet {
				return
			}
			sent := below.requests[0]
			if sent.GetBody != nil || sent.ContentLength != int64(len(below.bodies[0])) || len(sent.TransferEncoding) > 0 {
				t.Errorf("sent a body that could be sent again or of another length")
			}
		})
	}
}

func TestTheBytesCheckedAreTheBytesSent(t *testing.T) {
	t.Parallel()
	below := &wire{}
	answer, err := New(below).RoundTrip(patch(t, masked, good))
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{good}, below.bodies); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	entry := func(fields string) string { return `{"etag":"x","traffic":[{` + fields + `}]}` }
	const revision = `"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"web-1"`
	cases := map[string]struct{ body, want string }{
		"an empty Go slice, as omitempty writes it": {`{"etag":"x"}`, "newest revision"},
		"an empty list":                    {`{"etag":"x","traffic":[]}`, "newest revision"},
		"a null list":                      {`{"etag":"x","traffic":null}`, "newest revision"},
		"nothing":                          {``, "not JSON"},
		"a null":                           {`null`, "not an object"},
		"no etag":                          {`{"traffic":` + whole + `}`, "no etag"},
		"an empty etag":                    {`{"etag":"","traffic":` + whole + `}`, "no etag"},
		"a null etag":                      {`{"etag":null,"traffic":` + whole + `}`, "etag is not a string"},
		"a template":                       {`{"etag":"x","template":{},"traffic":` + whole + `}`, `"template"`},
		"annotations":                      {`{"etag":"x","annotations":{},"traffic":` + whole + `}`, `"annotations"`},
		"another service's name":           {`{"name":"projects/shop/locations/l/services/api","etag":"x","traffic":` + whole + `}`, "names"},
		"a missing percent, so a sum of 0": {entry(revision), "sums to 0"},
		"a sum of 99":                      {entry(revision + `,"percent":99`), "sums to 99"},
		"a sum of 200":                     {`{"etag":"x","traffic":[{` + revision + `,"percent":100},{` + revision + `,"percent":100}]}`, "sums to 200"},
		"a percent of 101":                 {entry(revision + `,"percent":101`), "percent 101"},
		"a negative percent":               {entry(revision + `,"percent":-1`), "percent -1"},
		"a fraction":                       {entry(revision + `,"percent":100.0`), "percent 100.0"},
		"an exponent":                      {entry(revision + `,"percent":1e2`), "percent 1e2"},
		"a percent as a string":            {entry(revision + `,"percent":"100"`), `percent "100"`},
		"a null percent":                   {entry(revision + `,"percent":null`), "percent null"},
		"LATEST with weight":               {entry(`"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST","percent":100`), "LATEST"},
		"LATEST that names a revision":     {entry(`"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST","revision":"web-1","percent":0`), "entry of type"},
		"no type":                          {entry(`"revision":"web-1","percent":100`), "entry of type"},
		"a type as a number":               {entry(`"type":1,"percent":100`), "type is not a string"},
		"no revision":                      {entry(`"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","percent":100`), "entry of type"},
		"a full revision name":             {entry(`"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"a/b","percent":100`), "entry of type"},
		"an unknown field in an entry":     {entry(revision + `,"percent":100,"uri":"x"`), `"uri"`},
		"a null entry":                     {`{"etag":"x","traffic":[null]}`, "not an object"},
		"traffic twice, the last one fine": {`{"etag":"x","traffic":[],"traffic":` + whole + `}`, "twice"},
		"traffic twice, once escaped":      {`{"etag":"x","traffi\u0063":[],"traffic":` + whole + `}`, "twice"},
		"percent twice":                    {entry(revision + `,"percent":0,"percent":100`), "twice"},
		"a field in capitals":              {`{"etag":"x","Traffic":` + whole + `}`, `"Traffic"`},
		"a second document":                {good + `{}`, "not JSON"},
		"bytes that are no UTF-8":          {`{"etag":"` + "\xff" + `","traffic":` + whole + `}`, "not JSON"},
		"a huge body":                      {`{"etag":"x","traffic":` + whole + strings.Repeat(" ", maxBody) + `}`, "too large"},
		"a list of everything":             {`[{"etag":"x"}]`, "not an object"},
		"traffic that is an object":        {`{"etag":"x","traffic":{}}`, "not a list"},
		"a tag that is no string":          {entry(revision + `,"percent":100,"tag":["a"]`), "tag is not a string"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuse(t, patch(t, masked, c.body), c.want)
		})
	}
}

func TestAnnotationsThatAreRefused(t *testing.T) {
	t.Parallel()
	const claimedMask = service + "?updateMask=traffic,annotations"
	cases := map[string]struct{ url, annotations, want string }{
		"a claim that the mask does not name": {masked, `"annotations":{"rollouts.sluice.dev/claim":"{}"},`, `"annotations"`},
		"a mask without annotations":          {claimedMask, ``, "takes all of them away"},
		"annotations without the claim":       {claimedMask, `"annotations":{"team":"web"},`, "without the claim"},
		"an empty claim":                      {claimedMask, `"annotations":{"rollouts.sluice.dev/claim":""},`, "without the claim"},
		"a null claim":                        {claimedMask, `"annotations":{"rollouts.sluice.dev/claim":null},`, "not a string"},
		"annotations that are a list":         {claimedMask, `"annotations":[],`, "not an object"},
		"an annotation that is no string":     {claimedMask, `"annotations":{"rollouts.sluice.dev/claim":"{}","a":1},`, "not a string"},
		"the claim twice":                     {claimedMask, `"annotations":{"rollouts.sluice.dev/claim":"{}","rollouts.sluice.dev/claim":"{}"},`, "twice"},
		"the masks the other way round":       {service + "?updateMask=annotations,traffic", `"annotations":{"rollouts.sluice.dev/claim":"{}"},`, "updateMask"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuse(t, patch(t, c.url, `{`+c.annotations+`"etag":"x","traffic":`+whole+`}`), c.want)
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*http.Request) {
		return func(req *http.Request) { req.Header.Set(name, value) }
	}
	cases := map[string]struct {
		method, url string
		change      func(*http.Request)
		want        string
	}{
		"a create":                     {method: http.MethodPost, want: "method"},
		"a delete":                     {method: http.MethodDelete, want: "method"},
		"a replace":                    {method: http.MethodPut, want: "method"},
		"a method in small letters":    {method: "patch", want: "method"},
		"no mask":                      {url: service, want: "no update mask"},
		"an empty mask":                {url: service + "?updateMask=", want: "updateMask"},
		"a mask with template":         {url: service + "?updateMask=traffic,template", want: "traffic,template"},
		"a mask with template before":  {url: service + "?updateMask=template,traffic", want: "template,traffic"},
		"a mask into the template":     {url: service + "?updateMask=template.containers", want: "template.containers"},
		"two masks":                    {url: service + "?updateMask=traffic&updateMask=template", want: "updateMask"},
		"a mask in its other spelling": {url: service + "?updateMask=traffic&update_mask=template", want: "update_mask"},
		"allowMissing":                 {url: masked + "&allowMissing=true", want: "allowMissing"},
		"forceNewRevision":             {url: masked + "&forceNewRevision=false", want: "forceNewRevision"},
		"validateOnly":                 {url: masked + "&validateOnly=true", want: "validateOnly"},
		"a query that cannot be read":  {url: masked + "&%zz=1", want: "malformed query"},
		"a semicolon in the query":     {url: masked + ";a=b", want: "malformed query"},
		"a job":                        {url: "https://h/v2/projects/shop/locations/l/jobs/web?updateMask=traffic", want: "write to"},
		"a revision":                   {url: "https://h/v2/projects/shop/locations/l/services/web/revisions/w?updateMask=traffic", want: "write to"},
		"the first version of the API": {url: "https://h/v1/projects/shop/locations/l/services/web?updateMask=traffic", want: "write to"},
		"a verb":                       {url: "https://h/v2/projects/shop/locations/l/services/web:setIamPolicy?updateMask=traffic", want: "write to"},
		"an escaped slash":             {url: "https://h/v2/projects/shop/locations/l/services/web%2Frevisions?updateMask=traffic", want: "unusual path"},
		"dots in the path":             {url: "https://h/v2/projects/shop/locations/l/services/../jobs/web?updateMask=traffic", want: "write to"},
		"a slash at the end":           {url: service + "/?updateMask=traffic", want: "write to"},
		"an opaque address": {change: func(req *http.Request) {
			req.URL.Opaque = "//run.googleapis.com/v2/projects/shop/locations/l/jobs/j"
		}, want: "unusual path"},
		"an idempotency key":     {change: header("Idempotency-Key", "1"), want: "idempotency"},
		"its older spelling":     {change: header("X-Idempotency-Key", "1"), want: "idempotency"},
		"a disguised method":     {change: header("X-HTTP-Method-Override", "DELETE"), want: "method-override"},
		"a body in gzip":         {change: header("Content-Encoding", "gzip"), want: "encoded body"},
		"a form":                 {change: header("Content-Type", "application/x-www-form-urlencoded"), want: "content type"},
		"no content type":        {change: func(req *http.Request) { req.Header.Del("Content-Type") }, want: "content type"},
		"two content types":      {change: func(req *http.Request) { req.Header.Add("Content-Type", "text/plain") }, want: "content type"},
		"a trailer":              {change: func(req *http.Request) { req.Trailer = http.Header{"A": nil} }, want: "trailer"},
		"no body":                {change: func(req *http.Request) { req.Body = nil }, want: "without a body"},
		"a read with a body":     {method: http.MethodGet, want: "read with a body"},
		"a body that breaks off": {change: func(req *http.Request) { req.Body = io.NopCloser(broken{}) }, want: "reading the body"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := c.url
			if url == "" {
				url = masked
			}
			req := patch(t, url, good)
			if c.method != "" {
				req.Method = c.method
			}
			if c.change != nil {
				c.change(req)
			}
			refuse(t, req, c.want)
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func refuse(t *testing.T, req *http.Request, want string) {
	t.Helper()
	below := &wire{}
	wall := New(below)
	answer, err := wall.RoundTrip(req)
	if answer != nil {
		t.Error("an answer although it was refused")
		_ = answer.Body.Close()
	}
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want a refusal that says %q", err, want)
	}
	if len(below.requests) != 0 {
		t.Error("it was sent")
	}
	if wall.Refused() != 1 {
		t.Errorf("counted %d, want 1", wall.Refused())
	}
}
