package google

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"
)

func TestHowLongAnAnswerAsksToWait(t *testing.T) {
	t.Parallel()
	const info = `{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"40s"}]}}`
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	dated := func(retry time.Duration) http.Header {
		return http.Header{"Date": {at.Format(http.TimeFormat)}, "Retry-After": {at.Add(retry).Format(http.TimeFormat)}}
	}
	for name, c := range map[string]struct {
		header http.Header
		body   string
		want   time.Duration
	}{
		"it does not ask":                {http.Header{}, `{}`, 0},
		"seconds":                        {http.Header{"Retry-After": {"30"}}, ``, 30 * time.Second},
		"a date, by the answer's clock":  {dated(time.Minute), ``, time.Minute},
		"a date that has passed":         {dated(-time.Minute), ``, 0},
		"a date without one to compare":  {http.Header{"Retry-After": {at.Format(http.TimeFormat)}}, ``, 0},
		"a RetryInfo":                    {http.Header{}, info, 40 * time.Second},
		"both: the longer":               {http.Header{"Retry-After": {"50"}}, info, 50 * time.Second},
		"neither for ever":               {http.Header{"Retry-After": {"999999"}}, ``, time.Hour},
		"nonsense":                       {http.Header{"Retry-After": {"soon"}}, `{"error":[]}`, 0},
		"negative":                       {http.Header{"Retry-After": {"-5"}}, ``, 0},
		"a duration of another message":  {http.Header{}, `{"error":{"details":[{"@type":"x","retryDelay":"40s"}]}}`, 0},
		"a RetryInfo that is no time":    {http.Header{}, `{"error":{"details":[{"@type":"a/google.rpc.RetryInfo","retryDelay":"x"}]}}`, 0},
		"a RetryInfo that has gone past": {http.Header{}, `{"error":{"details":[{"@type":"a/google.rpc.RetryInfo","retryDelay":"-9s"}]}}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := RetryAfter(c.header, ReadError(c.body)); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestWhatIsLostAndWhatIsUnreadable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		lost   bool
		cause  error
		detail string
	}{
		"no connection":           {&url.Error{Op: "Get", URL: "https://x/", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}, true, nil, "dial: refused"},
		"no answer in time":       {&url.Error{Op: "Get", URL: "https://x/", Err: context.DeadlineExceeded}, true, context.DeadlineExceeded, "no answer in time"},
		"nobody waits any more":   {fmt.Errorf("reading: %w", context.Canceled), true, context.Canceled, "reading: context canceled"},
		"half an answer":          {io.ErrUnexpectedEOF, true, nil, "unexpected EOF"},
		"an answer in two lines":  {errors.New("invalid\ncharacter"), false, nil, "invalid character"},
		"an answer that is large": {&http.MaxBytesError{Limit: 1}, false, nil, "http: request body too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if Lost(c.err) != c.lost || !errors.Is(ContextError(c.err), c.cause) || Detail(c.err) != c.detail {
				t.Errorf("lost %v, cause %v, detail %q", Lost(c.err), ContextError(c.err), Detail(c.err))
			}
		})
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	if err := NoRedirect(nil, nil); !errors.Is(err, http.ErrUseLastResponse) {
		t.Errorf("error %v", err)
	}
	if _, ok := Network().(*http.Transport); !ok {
		t.Error("no transport")
	}
}
