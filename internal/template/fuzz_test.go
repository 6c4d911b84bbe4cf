package template

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// FuzzRead: nothing panics; what is accepted is read again as the same template, in
// whatever order its keys stand and however it is spaced; no message is without bounds.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"containers":[{"image":"a","env":[{"name":"A","value":"<\u2028>"}],"ports":[{"containerPort":"80"}]}],"scaling":{"cpuUtilization":1e-1}}`))
	f.Add([]byte(`{"containers":[{"image":"a","resources":{"limits":{"cpu":"1","memory":"1Gi"},"cpuIdle":false}}],"annotations":{"a/b":"c"},"labels":{}}`))
	f.Add([]byte(`{"containers":[{"image":"\ud800"}],"timeout":"1s","timeout":"2s"}`))
	f.Add([]byte(`{"revision":null,"containers":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, found, err := Read(raw)
		if err != nil {
			if !got.IsZero() || len(err.Error()) > 4096 {
				t.Fatalf("%+v with an error of %d bytes", got, len(err.Error()))
			}
			return
		}
		for _, finding := range found {
			if len(finding.String()) > 1024 {
				t.Fatalf("a finding of %d bytes", len(finding.String()))
			}
		}
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, []byte(got.JSON), " ", "\t"); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"as it is": got.JSON, "spaced": spaced.String(), "turned": turned(decode([]byte(got.JSON)))} {
			if len(text) > MaxBytes {
				continue
			}
			again, _, err := Read([]byte(text))
			if err != nil || again != got {
				t.Fatalf("%s %s is read as %+v, error %v; want %+v", name, text, again, err, got)
			}
		}
	})
}

// turned writes a value with its keys in the order that nobody sorts them in.
func turned(value any) string {
	switch v := value.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		slices.Reverse(keys)
		parts := make([]string, 0, len(v))
		for _, key := range keys {
			parts = append(parts, turned(key)+" : "+turned(v[key]))
		}
		return "{ " + strings.Join(parts, " , ") + " }"
	case []any:
		parts := make([]string, 0, len(v))
		for _, inner := range v {
			parts = append(parts, turned(inner))
		}
		return "[ " + strings.Join(parts, " ,") + "]"
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // cannot be: strings, numbers and switches
	}
	return string(text)
}
