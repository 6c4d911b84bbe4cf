package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// mostBytes bounds what a request may send.
const mostBytes = 4 << 20

// answer writes JSON as the Google APIs do: two spaces, a newline at the end;
// compact if the query asks for it.
func answer(w http.ResponseWriter, r *http.Request, code int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if r.URL.Query().Get("prettyPrint") != "false" {
		enc.SetIndent("", "  ")
	}
	if err := enc.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes())
}

// errorBody is the form of an error.
type errorBody struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Code    int              `json:"code"`
	Message string           `json:"message"`
	Status  string           `json:"status"`
	Details []map[string]any `json:"details,omitempty"`
}

// refuse writes an error. A lost answer ends the connection without a byte.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, simulator.ErrAnswerLost) {
		panic(http.ErrAbortHandler)
	}
	var e *simulator.APIError
	if !errors.As(err, &e) {
		e = &simulator.APIError{Code: http.StatusInternalServerError, Status: "INTERNAL", Message: err.Error()}
	}
	retryAfter(w, e)
	answer(w, r, e.Code, errorBody{errorDetail{e.Code, e.Message, e.Status, e.Details}})
}

// retryAfter writes how long an error asks to wait, if it does.
func retryAfter(w http.ResponseWriter, e *simulator.APIError) {
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(e.RetryAfter.Seconds())))
	}
}

// asked runs one API call with the world to itself.
func asked(g *Guard, r *http.Request, f func(simulator.API) (any, error)) (v any, err error) {
	caller, no := identity(g, r.Header.Get("Authorization"))
	if no != nil {
		return nil, no
	}
	g.Do(func(world *simulator.World) {
		v, err = f(world.As(simulator.Caller{Identity: cmp.Or(caller, r.Header.Get(CallerHeader)), UserAgent: r.UserAgent()}))
	})
	return v, err
}

// dated gives every answer the world's time as its Date, in whole seconds
// [RFC 9110, 6.6.1], whatever the clocks of callers show.
func dated(g *Guard, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now, _ := g.Now()
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

func badRequest(format string, args ...any) *simulator.APIError {
	return &simulator.APIError{
		Code: http.StatusBadRequest, Status: "INVALID_ARGUMENT", Message: fmt.Sprintf(format, args...),
	}
}

// read decodes a body strictly.
func read(w http.ResponseWriter, r *http.Request, into any) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBytes))
	if err != nil {
		return nil, badRequest("Reading the request body: %v", err)
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return raw, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err = dec.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return raw, nil
	case errors.As(err, &wrong):
		return nil, badRequest("Invalid value at 'service.%s' (%s), %s", wrong.Field, wrong.Type, wrong.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return nil, badRequest("Invalid JSON payload received. Unknown name %s: Cannot find field.",
			strings.TrimPrefix(err.Error(), "json: unknown field "))
	}
	return nil, badRequest("Invalid JSON payload received. %v", err)
}
