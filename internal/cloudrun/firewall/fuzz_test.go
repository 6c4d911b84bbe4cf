package firewall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// FuzzWhateverArrivesIsASwap sends anything, and judges what came out on the other
// side by a second, differently written reading of the rule: a swap of the traffic, or
// one of the template.
func FuzzWhateverArrivesIsASwap(f *testing.F) {
	f.Add("PATCH", masked, "application/json", good, false, "", "")
	f.Add("PATCH", service, "application/json", good, true, "", "")
	f.Add("PATCH", service+"?updateMask=traffic%2Cannotations", "application/json",
		`{"annotations":{"rollouts.sluice.dev/claim":"{}"},"etag":"x","traffic":[{"percent":100,"revision":"a","type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"}]}`, false, "", "")
	f.Add("PATCH", service+"?updateMask=template&alt=json", "application/json", goodTemplate, false, "", "")
	f.Add("PATCH", service+"?updateMask=template", "application/json", `{"etag":"x","template":{"revision":"web-2"}}`, false, "", "")
	f.Add("PATCH", service+"?updateMask=template", "application/json",
		`{"etag":"x","template":{"annotations":{"rollouts.sluice.dev/template":"0123456789abcdef"},"containers":[ {"image":"a", "env":[ {"name":"A","name":"B"} ]} ]}}`, false, "", "")
	f.Add("PATCH", service+"?updateMask=traffic,template", "application/json", `{"etag":"x","template":{}}`, false, "", "")
	f.Add("PATCH", masked, "application/json", `{"etag":"x"}`, false, "", "")
	f.Add("PATCH", masked, "application/json", `{"etag":"x","traffic":[],"traffic":`+whole+`}`, true, "", "")
	f.Add("PATCH", masked, "text/json", `{"etag":"x","traffic":null}`, false, "", "")
	f.Add("PATCH", masked, "application/json", good, false, "X-Http-Method-Override", "DELETE")
	f.Add("PATCH", masked, "application/json", good, false, "Content-Encoding", "gzip")
	f.Add("GET", service, "", "", false, "x-goog-METHOD", "PUT")
	f.Add("PATCH", masked, "application/json", `{"etag":"x","name":"projects/other/locations/europe-west1/services/web","traffic":`+whole+`}`, false, "", "")
	f.Add("PATCH", masked, "application/json",
		`{"etag":"x","traffic":[{"percent":100,"Percent":0,"revision":"web-1","tag":null,"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"}]}`, false, "", "")
	f.Add("DELETE", service, "", "", false, "", "")
	f.Add("GET", service, "", "", false, "", "")
	f.Fuzz(func(t *testing.T, method, target, kind, body string, chunked bool, header, value string) {
		req, err := http.NewRequest(method, target, strings.NewReader(body))
		if err != nil {
			return
		}
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		if header != "" {
			req.Header[header] = append(req.Header[header], value)
		}
		if chunked {
			req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), -1
		}
		below := &wire{}
		wall := New(below)
		answer, err := wall.RoundTrip(req)
		if err == nil {
			_ = answer.Body.Close()
		}
		if (err == nil) != (len(below.requests) == 1) || (err == nil) != (wall.Refused() == 0) {
			t.Fatalf("error %v, sent %d, refused %d", err, len(below.requests), wall.Refused())
		}
		for i, sent := range below.requests {
			if complaint := judge(sent, below.bodies[i]); complaint != "" {
				t.Fatalf("%s: %s %s %q", complaint, sent.Method, sent.URL, below.bodies[i])
			}
		}
	})
}

// judge is the oracle. It works on decoded values and on the target as it is
// written on the wire, and says what is wrong, or nothing.
func judge(req *http.Request, body string) string {
	for name := range req.Header {
		if name = strings.ToLower(name); strings.Contains(name, "method") || strings.Contains(name, "idempotency") {
			return "a header " + name
		}
	}
	if req.Method == http.MethodGet || req.Method == "" {
		if body != "" {
			return "a read with a body"
		}
		return ""
	}
	path, query, _ := strings.Cut(req.URL.RequestURI(), "?")
	parts := strings.Split(path, "/")
	names := []string{"", "v2", "projects", "", "locations", "", "services", ""}
	if req.Method != http.MethodPatch || len(parts) != len(names) || strings.ContainsAny(path, "%\\") {
		return "not a PATCH of a service"
	}
	for i, name := range names {
		if name != "" && parts[i] != name || i%2 == 1 && i > 1 && parts[i] == "" {
			return "not a service's path"
		}
	}
	settings := strings.Split(query, "&")
	for i := range settings {
		settings[i], _ = url.QueryUnescape(settings[i])
	}
	settings = slices.DeleteFunc(settings, func(s string) bool {
		return slices.Contains([]string{"", "alt=json", "prettyPrint=false", "prettyPrint=true"}, s)
	})
	if len(settings) != 1 || !slices.Contains([]string{"updateMask=traffic", "updateMask=traffic,annotations", "updateMask=template"}, settings[0]) {
		return "a mask other than traffic, with or without annotations, or template"
	}
	if len(req.Header.Values("Content-Encoding")) > 0 {
		return "an encoded body"
	}
	return judgeBody(body, strings.TrimPrefix(path, "/v2/"), strings.TrimPrefix(settings[0], "updateMask="))
}

func judgeBody(body, resource, mask string) string {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var service map[string]any
	if err := decoder.Decode(&service); err != nil {
		return err.Error()
	}
	if rest, _ := io.ReadAll(io.MultiReader(decoder.Buffered(), bytes.NewReader(nil))); strings.TrimSpace(string(rest)) != "" {
		return "something after the body"
	}
	if keys(body) != count(service) {
		return "a name twice"
	}
	if etag, _ := service["etag"].(string); etag == "" {
		return "no etag"
	}
	if name, ok := service["name"]; ok && name != "" && name != resource {
		return "another service's name"
	}
	delete(service, "etag")
	delete(service, "name")
	if mask == "template" {
		template, _ := service["template"].(map[string]any)
		if len(service) != 1 {
			return "more than etag and template"
		}
		return judgeTemplate(template)
	}
	entries, _ := service["traffic"].([]any)
	delete(service, "traffic")
	if mask == "traffic,annotations" {
		annotations, _ := service["annotations"].(map[string]any)
		if claim, _ := annotations["rollouts.sluice.dev/claim"].(string); claim == "" {
			return "annotations without the claim"
		}
		delete(service, "annotations")
	}
	if len(service) > 0 {
		return "more than etag and traffic"
	}
	if len(entries) == 0 {
		return "no traffic"
	}
	sum := new(big.Rat)
	for _, e := range entries {
		percent, complaint := judgeEntry(e)
		if complaint != "" {
			return complaint
		}
		sum.Add(sum, percent)
	}
	if sum.Cmp(big.NewRat(100, 1)) != 0 {
		return "a sum of " + sum.String()
	}
	return ""
}

func judgeTemplate(template map[string]any) string {
	annotations, _ := template["annotations"].(map[string]any)
	mark, _ := annotations["rollouts.sluice.dev/template"].(string)
	if len(mark) != 16 || strings.Trim(mark, "0123456789abcdef") != "" {
		return "a template that is not marked"
	}
	if _, ok := template["revision"]; ok {
		return "a template that names its revision"
	}
	containers, _ := template["containers"].([]any)
	for _, c := range containers {
		container, _ := c.(map[string]any)
		if image, _ := container["image"].(string); image == "" {
			return "a container without image"
		}
	}
	if len(containers) == 0 {
		return "no containers"
	}
	return ""
}

func judgeEntry(e any) (*big.Rat, string) {
	entry, _ := e.(map[string]any)
	for name, value := range entry {
		if _, word := value.(string); !slices.Contains([]string{"type", "revision", "percent", "tag"}, name) || name == "tag" && !word {
			return nil, fmt.Sprintf("%s %v in an entry", name, value)
		}
	}
	percent := new(big.Rat)
	if p, ok := entry["percent"]; ok {
		number, _ := p.(json.Number)
		if _, ok := percent.SetString(string(number)); !ok || !percent.IsInt() || percent.Sign() < 0 {
			return nil, fmt.Sprintf("percent %v", p)
		}
	}
	switch entry["type"] {
	case "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION":
		if name, _ := entry["revision"].(string); name == "" || strings.Contains(name, "/") {
			return nil, "no short revision"
		}
	case "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST":
		if percent.Sign() != 0 {
			return nil, "traffic to LATEST"
		}
	default:
		return nil, "no type"
	}
	return percent, ""
}

// keys counts the names in a JSON text, and count those that survive decoding.
func keys(body string) int {
	decoder := json.NewDecoder(strings.NewReader(body))
	n := 0
	type level struct {
		object bool
		tokens int
	}
	var levels []level
	for {
		token, err := decoder.Token()
		if err != nil {
			return n
		}
		closing := token == json.Delim('}') || token == json.Delim(']')
		if closing {
			levels = levels[:len(levels)-1]
			continue
		}
		if len(levels) > 0 {
			top := &levels[len(levels)-1]
			if top.object && top.tokens%2 == 0 {
				n++
			}
			top.tokens++
		}
		if token == json.Delim('{') || token == json.Delim('[') {
			levels = append(levels, level{object: token == json.Delim('{')})
		}
	}
}

func count(value any) int {
	n := 0
	switch v := value.(type) {
	case map[string]any:
		n += len(v)
		for _, inner := range v {
			n += count(inner)
		}
	case []any:
		for _, inner := range v {
			n += count(inner)
		}
	}
	return n
}

func TestEverySwapThatIsWellFormedPasses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		weight := rapid.IntRange(0, 100).Draw(t, "weight")
		type entry struct {
			Type     string `json:"type"`
			Revision string `json:"revision,omitempty"`
			Percent  int    `json:"percent,omitempty"`
			Tag      string `json:"tag,omitempty"`
		}
		name := rapid.StringMatching(`[a-z][a-z0-9-]{0,40}`)
		list := []entry{
			{toRevision, name.Draw(t, "candidate"), weight, ""},
			{toRevision, name.Draw(t, "stable"), 100 - weight, "sluice-stable"},
		}
		for range rapid.IntRange(0, 5).Draw(t, "tags") {
			list = append(list, entry{Type: toLatest, Tag: name.Draw(t, "tag")})
		}
		body, err := json.Marshal(map[string]any{"etag": rapid.StringN(1, 20, 60).Draw(t, "etag"), "traffic": list})
		if err != nil {
			t.Fatal(err)
		}
		if err := checkBody(body, "projects/p/locations/l/services/s", maskTraffic); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
	})
}

func TestEveryTemplateThatIsWellFormedPasses(t *testing.T) {
	t.Parallel()
	text := rapid.StringN(1, 20, 60)
	rapid.Check(t, func(t *rapid.T) {
		annotations := rapid.MapOfN(text, text, 0, 3).Draw(t, "annotations")
		annotations[templateKey] = rapid.StringMatching(`[0-9a-f]{16}`).Draw(t, "digest")
		var containers []any
		for range rapid.IntRange(1, 3).Draw(t, "containers") {
			containers = append(containers, map[string]any{
				"image": text.Draw(t, "image"), "env": []any{map[string]any{"name": text.Draw(t, "name"), "value": text.Draw(t, "value")}},
			})
		}
		body, err := json.Marshal(map[string]any{
			"etag":     text.Draw(t, "etag"),
			"template": map[string]any{"annotations": annotations, "containers": containers, "scaling": map[string]any{"minInstanceCount": 0}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := checkBody(body, "projects/p/locations/l/services/s", maskTemplate); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
	})
}
