package killmatrix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync/atomic"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errKilled is what the calls of a killed controller come to.
var errKilled = errors.New("the controller was killed")

// life is one controller, from its start to its death.
type life struct {
	play   *play
	number int // 0 for the first
	dead   atomic.Bool
	// end, where there is one, ends a process: at once, or after the answer that
	// is on its way.
	end func(Kind)
	// held is what a deliberately wrong controller keeps to itself.
	held hidden
}

// call makes a call, unless the controller is dead or dies at it.
func (l *life) call(c call, do func() error) error {
	if l.dead.Load() {
		return errKilled
	}
	kind, struck := l.play.ledger.note(c)
	if !struck {
		return do()
	}
	if kind == Before {
		l.die(kind)
		return errKilled
	}
	err := do()
	l.die(kind)
	if kind == During {
		return errKilled
	}
	return err
}

func (l *life) die(kind Kind) {
	l.dead.Store(true)
	l.play.tellKill()
	if l.end != nil {
		l.end(kind)
	}
}

// gate is the way from a life to an HTTP API.
type gate struct {
	life *life
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g gate) RoundTrip(req *http.Request) (*http.Response, error) {
	sent, err := drained(req)
	if err != nil {
		return nil, err
	}
	c := callOf(req)
	var answer *http.Response
	err = g.life.call(c, func() error {
		if err := g.life.play.before(c, sent); err != nil {
			return err
		}
		var err error
		answer, err = g.pass(req, c) //nolint:bodyclose // the caller closes it, or it is closed below
		return err
	})
	if err != nil && answer != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// pass makes the call, and shows an answer about the rollout to the play.
func (g gate) pass(req *http.Request, c call) (*http.Response, error) {
	answer, err := g.next.RoundTrip(req)
	if err != nil || !c.object {
		return answer, err
	}
	got, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(got))
	return answer, g.life.play.after(c, answer.StatusCode, got)
}

// drained reads a request's body and leaves it readable.
func drained(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	_ = req.Body.Close()
	req.Body = io.NopCloser(bytes.NewReader(sent))
	return sent, nil
}

// callOf names a request to the apiserver or to Cloud Run.
func callOf(req *http.Request) call {
	p := req.URL.Path
	last := path.Base(p)
	rollout := strings.Contains(p, "/cloudrunrollouts/")
	switch {
	case rollout && req.Method == http.MethodGet:
		return call{name: "get rollout", object: true}
	case rollout && req.Method == http.MethodPut && last == "status":
		return call{name: "update status", write: true, object: true}
	case req.Method == http.MethodPost && last == "events":
		return call{name: "create event", write: true}
	case req.Method == http.MethodPatch && strings.HasPrefix(p, "/v2/"):
		return call{name: patchCall, write: true}
	case req.Method == http.MethodGet && strings.HasPrefix(p, "/v2/") && strings.Contains(p, "/revisions/"):
		return call{name: "get revision " + last}
	case req.Method == http.MethodGet && strings.HasPrefix(p, "/v2/"):
		return call{name: "get service"}
	}
	return call{name: req.Method + " " + p, write: req.Method != http.MethodGet}
}

const patchCall = "patch service"

// measured stands before Cloud Monitoring, for whichever life is the present one.
func (p *play) measured(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	c := call{name: fmt.Sprintf("%T", req)}
	switch r := req.(type) {
	case *monitoringpb.ListTimeSeriesRequest:
		c.name = "query " + r.GetFilter()
	case *monitoringpb.GetMetricDescriptorRequest:
		c.name = "get descriptor " + path.Base(r.GetName())
	}
	var answer any
	err := p.life.Load().call(c, func() (err error) {
		answer, err = next(ctx, req)
		return err
	})
	if errors.Is(err, errKilled) {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	return answer, err
}

// inMemory is a server without a network.
type inMemory struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (m inMemory) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, req)
	answer := w.Result()
	answer.Request = req
	return answer, nil
}
