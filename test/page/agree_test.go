package page

import (
	"bytes"
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli"
)

// told is what kubectl sluice prints about objects, in one line.
func told(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	env := cli.Env{Out: &out, Err: &out, Clock: clocktesting.NewFakeClock(now), Version: "v0.0.0-test"}
	cli.Run(t.Context(), cli.Command(env), args) // what status exits with says how it stands
	return strings.Join(strings.Fields(out.String()), " ")
}

// dom is what a browser made of a page.
type dom struct {
	t    *testing.T
	text string
}

func open(t *testing.T, url string) dom {
	t.Helper()
	return dom{t, visit(t, url, "--dump-dom")}
}

// shown is what an element shows; "" where there is none.
func (d dom) shown(id string) string {
	d.t.Helper()
	found := regexp.MustCompile(`(?s) id="` + id + `"[^>]*>(.*?)</(?:p|span|h2)>\s*(?:<|$)`).FindStringSubmatch(d.text)
	if found == nil {
		return ""
	}
	plain := regexp.MustCompile(`<span class="hidden">[^<]*</span>|<[^>]*>`).ReplaceAllString(found[1], "")
	return strings.Join(strings.Fields(html.UnescapeString(plain)), " ")
}

// TestThePageAndTheCommandLineAgree reads state, weight, cause and next action of
// every object back out of a browser, and finds them in what kubectl sluice prints.
func TestThePageAndTheCommandLineAgree(t *testing.T) {
	t.Parallel()
	browser(t)
	w := read(t)
	url := serve(t, w)
	for i := range w {
		ro := &w[i]
		name := ro.Namespace + "/" + ro.Name
		t.Run(strings.ReplaceAll(name, "/", "-"), func(t *testing.T) {
			agree(t, open(t, url+"/rollouts/"+name), ro)
		})
	}
}

// agree holds one page against status, get and why.
func agree(t *testing.T, page dom, ro *v1alpha1.CloudRunRollout) {
	t.Helper()
	name, file := ro.Namespace+"/"+ro.Name, fileOf(t, ro)
	status := told(t, "status", name, "-f", file, "--watch=false")
	tree, why := told(t, "get", name, "-f", file), told(t, "why", name, "-f", file)
	for id, wants := range map[string]struct {
		must bool
		in   []string
	}{
		"headline": {true, []string{tree, why}},
		"cause":    {true, []string{tree, why, status}},
		"next":     {ro.Status.NextAction != "", []string{tree, why, status}},
		"weight":   {ro.Status.Candidate.Revision != ro.Status.Stable.Revision, []string{tree, status}},
	} {
		shown := page.shown(id)
		if wants.must != (shown != "") {
			t.Errorf("%s: the page shows %q", id, shown)
		}
		for _, text := range wants.in {
			if !strings.Contains(text, shown) {
				t.Errorf("%s: the page shows %q, and kubectl sluice says %q", id, shown, text)
			}
		}
	}
	for _, command := range regexp.MustCompile(`kubectl sluice [a-z]+ \S+ -n \S+ --reason '\.\.\.'`).FindAllString(why, -1) {
		if !strings.Contains(html.UnescapeString(page.text), "<code>"+command+"</code>") {
			t.Errorf("the page does not say that one can %s", command)
		}
	}
}

// fileOf is where an object is saved.
func fileOf(t *testing.T, ro *v1alpha1.CloudRunRollout) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(objects, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for i, other := range read(t) {
		if other.Namespace == ro.Namespace && other.Name == ro.Name {
			return names[i]
		}
	}
	t.Fatalf("%s/%s is in no file", ro.Namespace, ro.Name)
	return ""
}

// TestTheListSaysWhatTheCommandLineLists compares what stands below each line.
func TestTheListSaysWhatTheCommandLineLists(t *testing.T) {
	t.Parallel()
	browser(t)
	w := read(t)
	url := serve(t, w)
	shown := html.UnescapeString(open(t, url+"/").text)
	for i := range w {
		list := told(t, "list", "-A", "-f", fileOf(t, &w[i]))
		for _, what := range regexp.MustCompile(`<td colspan="6">([^<]*)</td>`).FindAllStringSubmatch(rowOf(shown, w[i].Name), -1) {
			if !strings.Contains(list, what[1]) {
				t.Errorf("%s: the page shows %q, kubectl sluice list says %q", w[i].Name, what[1], list)
			}
		}
		if !strings.Contains(rowOf(shown, w[i].Name), w[i].Status.Weight) {
			t.Errorf("%s: no weight %s in its row", w[i].Name, w[i].Status.Weight)
		}
	}
}

// rowOf is the part of a list that is about one rollout.
func rowOf(text, name string) string {
	_, after, _ := strings.Cut(text, "</span>"+name+"</a>")
	row, _, _ := strings.Cut(after, "</tbody>")
	return row
}
