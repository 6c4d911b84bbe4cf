package page

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// told is what kubectl sluice prints about objects, line by line.
func told(t *testing.T, args ...string) []string {
	t.Helper()
	var out bytes.Buffer
	env := cli.Env{Out: &out, Err: &out, Clock: clocktesting.NewFakeClock(now), Version: "v0.0.0-test"}
	cli.Run(t.Context(), cli.Command(env), args) // what status exits with says how it stands
	return strings.Split(out.String(), "\n")
}

// plain is a text with single blanks, as a browser shows it.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }

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
	return plain(html.UnescapeString(regexp.MustCompile(`<span class="hidden">[^<]*</span>|<[^>]*>`).ReplaceAllString(found[1], "")))
}

// TestThePageAndTheCommandLineAgree reads state, weight, cause and next action of
// every object back out of a browser, and compares each with what kubectl sluice prints.
func TestThePageAndTheCommandLineAgree(t *testing.T) {
	t.Parallel()
	browser(t)
	w := read(t)
	url := serve(t, w)
	for i := range w {
		ro := &w[i]
		name := ro.Namespace + "/" + ro.Name
		t.Run(strings.ReplaceAll(name, "/", "-"), func(t *testing.T) {
			for _, wrong := range disagreements(open(t, url+"/rollouts/"+name), ro) {
				t.Error(wrong)
			}
		})
	}
}

// said is what kubectl sluice says of an object, part by part: what the page shows under
// the same names.
func said(t *testing.T, ro *v1alpha1.CloudRunRollout) map[string]string {
	t.Helper()
	name, file := ro.Namespace+"/"+ro.Name, fileOf(t, ro)
	tree, why := told(t, "get", name, "-f", file), told(t, "why", name, "-f", file)
	parts := map[string]string{"next": ""}
	_, headline, _ := strings.Cut(tree[0], name+"  ")
	parts["headline"], parts["cause"] = plain(headline), plain(tree[1])
	if next, is := strings.CutPrefix(tree[2], "  Next: "); is {
		parts["next"] = plain(next)
	}
	if !slices.Equal(why[:3], tree[:3]) {
		t.Errorf("why begins with\n%s\nand get with\n%s", strings.Join(why[:3], "\n"), strings.Join(tree[:3], "\n"))
	}
	status := told(t, "status", name, "-f", file, "--watch=false")[0]
	turn := regexp.MustCompile(`^\d\d:\d\dZ (?:[!<~>x?] )?\d+/\d+ (\d+%) (\S+) (.*)$`).FindStringSubmatch(plain(status))
	if turn == nil {
		t.Fatalf("status says %q", status)
	}
	parts["weight"] = turn[1]
	if all := plain(parts["cause"] + " " + parts["next"]); turn[3] != all {
		t.Errorf("status says %q, and get %q", turn[3], all)
	}
	if ro.Status.Candidate.Revision == ro.Status.Stable.Revision {
		parts["weight"] = "" // there is no candidate whose weight it could be
	}
	return parts
}

// disagreements are the parts of a page that are not, to the letter, what kubectl sluice
// says.
func disagreements(page dom, ro *v1alpha1.CloudRunRollout) []string {
	page.t.Helper()
	var wrong []string
	for id, want := range said(page.t, ro) {
		if shown := page.shown(id); shown != want {
			wrong = append(wrong, fmt.Sprintf("%s: the page shows %q, and kubectl sluice says %q", id, shown, want))
		}
	}
	why := strings.Join(told(page.t, "why", ro.Namespace+"/"+ro.Name, "-f", fileOf(page.t, ro)), "\n")
	for _, command := range regexp.MustCompile(`kubectl sluice [a-z]+ \S+ -n \S+ --reason '\.\.\.'`).FindAllString(why, -1) {
		if !strings.Contains(html.UnescapeString(page.text), "<code>"+command+"</code>") {
			wrong = append(wrong, "the page does not say that one can "+command)
		}
	}
	return wrong
}

// TestAPageWithAnotherNumberDisagrees changes one part of a page after the other, by as
// little as a digit that is a part of the right number, and sees each found.
func TestAPageWithAnotherNumberDisagrees(t *testing.T) {
	t.Parallel()
	w := read(t)
	url := serve(t, w)
	for i := range w {
		ro := &w[i]
		page := dom{t, fetched(t, url+"/rollouts/"+ro.Namespace+"/"+ro.Name)}
		if wrong := disagreements(page, ro); len(wrong) > 0 {
			t.Fatalf("the page as it is: %q", wrong)
		}
		for _, id := range []string{"headline", "cause", "next", "weight"} {
			shown := page.shown(id)
			if shown == "" {
				continue
			}
			for _, less := range []string{shown[1:], shown[:len(shown)-1], ""} {
				at := strings.Index(page.text, ` id="`+id+`"`)
				changed := page.text[:at] + strings.Replace(page.text[at:], escaped(shown), escaped(less), 1)
				if wrong := disagreements(dom{t, changed}, ro); len(wrong) != 1 || !strings.HasPrefix(wrong[0], id+": ") {
					t.Errorf("%s/%s shows %q for %q: %q", ro.Namespace, ro.Name, less, shown, wrong)
				}
			}
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

// TestTheListSaysWhatTheCommandLineLists compares the weight in each line, its status and
// what stands below it.
func TestTheListSaysWhatTheCommandLineLists(t *testing.T) {
	t.Parallel()
	browser(t)
	w := read(t)
	shown := open(t, serve(t, w)+"/").text
	for i := range w {
		line := told(t, "list", "-A", "-f", fileOf(t, &w[i]))[1]
		columns := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(strings.TrimLeft(line, "!<~>x?")), -1)
		cell := func(pattern string) string {
			found := regexp.MustCompile(pattern).FindStringSubmatch(rowOf(shown, w[i].Name))
			if found == nil {
				return ""
			}
			return html.UnescapeString(found[1])
		}
		what := columns[8]
		if standing.Of(&w[i]) == standing.Settled {
			what = "" // there is nothing to do
		}
		for pattern, want := range map[string]string{
			`<span class="weight">([^<]*)</span>`: columns[3], `<b class="reason">([^<]*)</b>`: columns[5], `<td colspan="6">([^<]*)</td>`: what,
		} {
			if got := cell(pattern); got != want {
				t.Errorf("%s: %s shows %q, kubectl sluice list says %q", w[i].Name, pattern, got, want)
			}
		}
	}
}

// rowOf is the part of a list that is about one rollout.
func rowOf(text, name string) string {
	_, after, _ := strings.Cut(text, "</span>"+name+"</a>")
	row, _, _ := strings.Cut(after, "</tbody>")
	return row
}

// escaped is a text as the page's templates write it.
func escaped(text string) string { return template.HTMLEscapeString(text) }

// fetched is a page before a browser makes something of it.
func fetched(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	return string(text)
}
