package simulator

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// timestampLayout prints the six fractional digits that the recordings show.
const timestampLayout = "2006-01-02T15:04:05.000000Z"

// Timestamp is a moment as the API prints it: UTC, whole microseconds.
type Timestamp struct{ time.Time }

func stamp(t time.Time) Timestamp {
	return Timestamp{t.UTC().Truncate(time.Microsecond)}
}

// MarshalJSON implements json.Marshaler.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(timestampLayout) + `"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "null" || text == "" {
		*t = Timestamp{}
		return nil
	}
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("reading timestamp %q: %w", text, err)
	}
	*t = stamp(parsed)
	return nil
}

// etagOf builds a fingerprint the way the recorded ones decode: the protobuf
// Timestamp of the update time, a slash, the name; both in URL-safe base64 without
// padding, the whole in quotes.
func etagOf(updated Timestamp, name string) string {
	enc := base64.RawURLEncoding
	return `"` + enc.EncodeToString(protoTimestamp(updated.Time)) + "/" + enc.EncodeToString([]byte(name)) + `"`
}

// protoTimestamp encodes google.protobuf.Timestamp: field 1 seconds, field 2
// nanos, zero values omitted.
func protoTimestamp(t time.Time) []byte {
	var b []byte
	if s := t.Unix(); s != 0 {
		b = appendVarint(append(b, 0x08), uint64(s)) //nolint:gosec // simulated time lies after 1970
	}
	if n := t.Nanosecond(); n != 0 {
		b = appendVarint(append(b, 0x10), uint64(n)) //nolint:gosec // Nanosecond is never negative
	}
	return b
}

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// etagVersion reads the update time back, in microseconds as the conflict text
// prints it. It is 0 for a text that is no etag of ours.
func etagVersion(etag string) int64 {
	first, _, _ := strings.Cut(strings.Trim(etag, `"`), "/")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		return 0
	}
	var seconds, nanos int64
	for len(raw) > 1 {
		field := raw[0]
		v, n := readVarint(raw[1:])
		if n == 0 {
			return 0
		}
		switch field {
		case 0x08:
			seconds = v
		case 0x10:
			nanos = v
		default:
			return 0
		}
		raw = raw[1+n:]
	}
	return seconds*1_000_000 + nanos/1_000
}

func readVarint(b []byte) (value int64, length int) {
	var v uint64
	for i, c := range b {
		if i > 9 {
			return 0, 0
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return int64(v), i + 1 //nolint:gosec // a malformed etag may wrap; it only shows in a text
		}
	}
	return 0, 0
}
