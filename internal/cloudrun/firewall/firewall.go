// Package firewall is the last thing a request to Cloud Run passes. It lets
// reads through, and of all writes only two, each alone: a compare-and-swap of a
// service's traffic, and one of its template.
//
// It exists because one slip above it is enough to move all users. Cloud Run
// reads an empty traffic list as "100 % to the newest revision", and the SDK's
// omitempty writes exactly that for an empty Go slice (run v2 discovery,
// Service.traffic). A mask that names the template and a body without one takes the
// template away in the same manner. The package therefore shares no code with its callers, looks
// at the bytes that are about to be sent, and sends those bytes and no others.
package firewall

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// ErrRefused marks a request that was not sent.
var ErrRefused = errors.New("refused by the write firewall")

// maxBody is the largest body that is looked at, in bytes. A service has at
// most 2000 tags, one to an entry.
const maxBody = 1 << 20

// servicePath is the one kind of resource that may be written. No escapes, so
// that the path cannot mean something else to the server.
var servicePath = regexp.MustCompile(
	`^/v2/(projects/[a-z0-9][a-z0-9.:-]{0,99}/locations/[a-z][a-z0-9-]{0,39}/services/[a-z][a-z0-9-]{0,62})$`)

// Firewall is a RoundTripper.
type Firewall struct {
	next    http.RoundTripper
	refused atomic.Int64
}

// New puts a firewall above a transport.
func New(next http.RoundTripper) *Firewall { return &Firewall{next: next} }

// Refused counts the requests that were not sent. Anything but zero is a bug
// above the firewall.
func (f *Firewall) Refused() int64 { return f.refused.Load() }

// RoundTrip sends a permitted request, and answers any other with ErrRefused.
func (f *Firewall) RoundTrip(req *http.Request) (*http.Response, error) {
	permitted, err := permit(req)
	if err != nil {
		f.refused.Add(1)
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return f.next.RoundTrip(permitted)
}

// permit returns the request to send. It closes the body of every request that
// it does not return as it is.
func permit(req *http.Request) (*http.Request, error) {
	method := cmp.Or(req.Method, http.MethodGet)
	if err := checkHeader(req); err != nil {
		return nil, errors.Join(err, discard(req))
	}
	switch method {
	case http.MethodGet:
		if req.Body != nil && req.Body != http.NoBody {
			return nil, errors.Join(errors.New("read with a body"), discard(req))
		}
		return req, nil
	case http.MethodPatch:
		return permitWrite(req)
	}
	return nil, errors.Join(fmt.Errorf("method %q", clip(method)), discard(req))
}

// permitWrite reads the body once, and returns a request that carries the very
// bytes that were checked. It has no GetBody, so nothing below can send it a
// second time.
func permitWrite(req *http.Request) (*http.Request, error) {
	resource, mask, err := checkTarget(req)
	if err == nil {
		err = checkWriteHeader(req.Header)
	}
	if err != nil {
		return nil, errors.Join(err, discard(req))
	}
	body, err := read(req)
	if err != nil {
		return nil, err
	}
	if err := checkBody(body, resource, mask); err != nil {
		return nil, err
	}
	permitted := req.Clone(req.Context())
	permitted.Body = io.NopCloser(bytes.NewReader(body))
	permitted.ContentLength = int64(len(body))
	permitted.GetBody = nil
	permitted.TransferEncoding = nil
	return permitted, nil
}

func read(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, errors.New("write without a body")
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxBody+1))
	if err := errors.Join(err, req.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	if len(body) > maxBody {
		return nil, errors.New("body too large")
	}
	return body, nil
}

func discard(req *http.Request) error {
	if req.Body == nil {
		return nil
	}
	return req.Body.Close()
}

// checkHeader refuses what would make a server read one method as another, or
// the transport send a request twice (net/http replays a request that carries
// an Idempotency-Key).
func checkHeader(req *http.Request) error {
	for name := range req.Header {
		name = strings.ToLower(name)
		switch {
		case strings.Contains(name, "method"):
			return fmt.Errorf("header %q", clip(name))
		case strings.Contains(name, "idempotency-key"):
			return errors.New("idempotency key")
		}
	}
	if len(req.Trailer) > 0 {
		return errors.New("trailer")
	}
	return nil
}

func checkWriteHeader(header http.Header) error {
	if len(header.Values("Content-Encoding")) > 0 {
		return errors.New("encoded body")
	}
	kinds := header.Values("Content-Type")
	if len(kinds) != 1 {
		return errors.New("no single content type")
	}
	kind, _, err := mime.ParseMediaType(kinds[0])
	if err != nil || kind != "application/json" {
		return fmt.Errorf("content type %q", clip(kinds[0]))
	}
	return nil
}

// checkTarget returns the resource that is written, and the mask.
func checkTarget(req *http.Request) (resource, mask string, err error) {
	u := req.URL
	if u.Opaque != "" || u.EscapedPath() != u.Path {
		return "", "", errors.New("unusual path")
	}
	match := servicePath.FindStringSubmatch(u.Path)
	if match == nil {
		return "", "", fmt.Errorf("write to %q", clip(u.Path))
	}
	mask, err = checkQuery(u.RawQuery)
	return match[1], mask, err
}

// The masks of a write: the traffic alone, or with the annotation that says who
// wrote it; or the template alone.
const (
	maskTraffic  = "traffic"
	maskClaimed  = "traffic,annotations"
	maskTemplate = "template"
)

// parameters lists what a write's query may say, and has to say.
var parameters = map[string][]string{
	"updateMask":  {maskTraffic, maskClaimed, maskTemplate},
	"alt":         {"json"},
	"prettyPrint": {"false", "true"},
}

// checkQuery returns the update mask.
func checkQuery(raw string) (string, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", errors.New("malformed query")
	}
	for name, values := range query {
		if len(values) != 1 || !slices.Contains(parameters[name], values[0]) {
			return "", fmt.Errorf("parameter %q with values %q", clip(name), clip(strings.Join(values, ",")))
		}
	}
	if !query.Has("updateMask") {
		return "", errors.New("no update mask")
	}
	return query.Get("updateMask"), nil
}

// clip shortens a value for an error text.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most]
	}
	return s
}
