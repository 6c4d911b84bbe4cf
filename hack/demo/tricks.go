package main

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/loopback"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// trick is something that can be done to the world by a button on the page.
type trick struct {
	name, label  string
	method, path string
	body         any
}

func deploys(name, label, version string) trick {
	return trick{name, label, http.MethodPost, "/deploy", map[string]string{"service": service, "image": images + version}}
}

// tricks are the buttons, in their order.
var tricks = []trick{
	deploys("healthy", "Deploy a healthy release", "1.42.0"),
	deploys("errors", "Deploy one with 5% errors", "1.43.0"),
	deploys("drops", "Deploy one that NAT drops packets of", "1.45.0"),
	{"silence", "Lose the metrics", http.MethodPost, "/faults", simulator.Fault{Kind: simulator.FaultGap, Metric: "run.googleapis.com/"}},
	{"refuse", "Let Cloud Run refuse writes", http.MethodPost, "/faults", simulator.Fault{
		Kind: simulator.FaultError, Operation: "services.patch", Code: http.StatusServiceUnavailable, Message: "the demo says no", Times: -1,
	}},
	{"edit", "Send all traffic to the newest, as somebody else", http.MethodPost, "/traffic", map[string]any{
		"service": service, "by": "bob@acme.example",
		"traffic": []simulator.TrafficTarget{{Type: simulator.AllocateLatest, Percent: 100}},
	}},
	{"mend", "Mend what can be mended", http.MethodDelete, "/faults", nil},
}

// director shows the manager's page with buttons that change the world. The manager
// knows nothing of them: they are put into its page on the way, and lead here.
func director(page string, call func(ctx context.Context, method, path string, body, into any) error) (http.Handler, error) {
	manager, err := url.Parse(page)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(manager)
			r.Out.Header.Del("Accept-Encoding")
		},
		FlushInterval:  -1, // a stream is handed on as it comes
		ModifyResponse: withButtons,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the manager does not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("POST /world", func(w http.ResponseWriter, r *http.Request) {
		for _, t := range tricks {
			if t.name != r.PostFormValue("trick") {
				continue
			}
			if err := call(r.Context(), t.method, t.path, t.body, nil); err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			http.Redirect(w, r, "/?"+done+"="+t.name, http.StatusSeeOther)
			return
		}
		http.Error(w, "the demo knows no such trick", http.StatusNotFound)
	})
	return forThisMachine(http.NewCrossOriginProtection().Handler(mux)), nil
}

// forThisMachine lets in only what is asked of this machine by its own names. The
// manager's page cannot see by which name it was asked here, and a site whose name was
// turned to this machine is no other origin.
func forThisMachine(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback.Host(r.Host) {
			http.Error(w, "the demo is for this machine: open it as 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// done names in an address the trick that was just done.
const done = "done"

// before is where the buttons go: outside of what the page renews by itself.
const before = `<a class="skip"`

// withButtons puts the buttons into a page of the manager's, and lets their form be
// sent.
func withButtons(r *http.Response) error {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
		return nil
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if err := r.Body.Close(); err != nil {
		return err
	}
	text = bytes.Replace(text, []byte(before), []byte(buttons(r.Request.URL.Query().Get(done))+before), 1)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	policy := r.Header.Get("Content-Security-Policy")
	r.Header.Set("Content-Security-Policy", strings.Replace(policy, "form-action 'none'", "form-action 'self'", 1))
	return nil
}

// buttons are the tricks, and a word of the one that was just done.
func buttons(last string) string {
	var made strings.Builder
	made.WriteString(`<form class="note" method="post" action="/world" aria-label="The demo's world"><b>Demo</b>`)
	said := ""
	for _, t := range tricks {
		fmt.Fprintf(&made, ` <button class="copy" name="trick" value="%s">%s</button>`, t.name, html.EscapeString(t.label))
		if t.name == last {
			said = fmt.Sprintf(` <span role="status">Done: %s.</span>`, html.EscapeString(t.label))
		}
	}
	made.WriteString(said + "</form>")
	return made.String()
}
