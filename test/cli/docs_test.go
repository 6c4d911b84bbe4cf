package cli_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
)

const (
	document = "../../docs/kubectl-sluice.md"
	fence    = "```console\n"

	pageShown = "http://127.0.0.1:8082"
)

// TestTheDocumentShowsWhatTheProgramSays runs every command in the document's
// blocks and compares what it prints. -update writes it down.
func TestTheDocumentShowsWhatTheProgramSays(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	d := newDemo(t)
	made := d.withFile(t, string(text))
	parts := strings.Split(made, fence)
	for i, part := range parts[1:] {
		block, after, _ := strings.Cut(part, "```\n")
		parts[i+1] = d.play(t, block) + "```\n" + after
	}
	made = strings.Join(parts, fence)
	if *update {
		if err := os.WriteFile(document, []byte(made), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), made); diff != "" {
		t.Errorf("%s is not what the program says; go test ./test/cli -run Document -update (-document +program):\n%s", document, diff)
	}
}

// demo is where the document's commands run: those that read do so from all the
// objects of the demo's world, those that ask in a namespace of the API server.
type demo struct {
	*world
	page            *httptest.Server
	all, kubeconfig string
	code            int // of the last command
}

func newDemo(t *testing.T) *demo {
	t.Helper()
	w, err := newWorld(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{world: w, all: filepath.Join(t.TempDir(), "all.yaml"), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	d.page = httptest.NewServer(dashboard.New(dashboard.Options{Source: d, Clock: env().Clock, Process: clock.RealClock{}}).Handler())
	t.Cleanup(d.page.Close)
	files, err := filepath.Glob(filepath.Join(objects, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no objects of the demo's world", err)
	}
	var all [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := os.WriteFile(d.all, bytes.Join(all, []byte("---\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := plane.WriteKubeconfig(d.kubeconfig); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"held.yaml", "awaiting-approval.yaml"} {
		if err := w.put(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// Rollouts implements dashboard.Source: the page that the document names shows none.
func (d *demo) Rollouts(context.Context) ([]v1alpha1.CloudRunRollout, error) { return nil, nil }

// withFile puts the file that the document shows into it.
func (d *demo) withFile(t *testing.T, text string) string {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", "nat.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(text, "<!-- file: nat.yaml -->\n\n```yaml\n")
	_, after, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Fatal("the document does not show nat.yaml")
	}
	return before + "<!-- file: nat.yaml -->\n\n```yaml\n" + string(file) + "```\n" + after
}

// play runs the commands of a block, and writes each with what it prints.
func (d *demo) play(t *testing.T, block string) string {
	t.Helper()
	var made strings.Builder
	for line := range strings.Lines(block) {
		command, is := strings.CutPrefix(line, "$ ")
		if !is {
			continue
		}
		made.WriteString(line)
		switch args, ours := strings.CutPrefix(strings.TrimSpace(command), "kubectl sluice "); {
		case ours:
			made.WriteString(d.run(t, words(args)))
		case strings.TrimSpace(command) == "echo $?":
			made.WriteString(strconv.Itoa(d.code) + "\n")
		default:
			t.Errorf("the document has a command that is not ours: %s", command)
		}
	}
	return made.String()
}

// run runs one command. An abort is answered, and its traffic goes back.
func (d *demo) run(t *testing.T, args []string) string {
	t.Helper()
	var out bytes.Buffer
	e := env()
	e.Out, e.Err, e.Width = &out, &out, 110
	shown := map[string]string{
		"rollout.yaml": filepath.Join("..", "..", "config", "samples", "target-only.yaml"),
		"nat.yaml":     filepath.Join("testdata", "nat.yaml"),
	}
	switch args[0] {
	case "dashboard":
		shown[pageShown] = d.page.URL
		args[len(args)-1] = d.page.URL
	case "abort":
		go d.goBack(t)
		args = append(args, "--kubeconfig", d.kubeconfig)
	case "approve":
		args = append(args, "--kubeconfig", d.kubeconfig)
	case "plan", "lint":
		for i := range args {
			if file, ok := shown[args[i]]; ok {
				args[i] = file
			}
		}
	default:
		args = append(args, "-f", d.all)
	}
	d.code = cli.Run(t.Context(), cli.Command(e), args)
	text := out.String()
	for name, file := range shown {
		text = strings.ReplaceAll(text, file, name)
	}
	return text
}

// goBack is the manager that hears of an abort of the rollout that is held.
func (d *demo) goBack(t *testing.T) {
	t.Helper()
	request, err := d.asked(t.Context(), "graphql-api", v1alpha1.VerbAbort)
	if err == nil {
		err = d.answer(t.Context(), "graphql-api", request[v1alpha1.RequestID], v1alpha1.RequestAccepted, "everything goes to graphql-api-00004-gbq")
	}
	if err == nil {
		err = d.back(t.Context(), "graphql-api")
	}
	if err != nil {
		t.Error(err)
	}
}

// words splits a command line; what stands between single quotes is one word.
func words(line string) []string {
	var all []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			all = append(all, part)
			continue
		}
		all = slices.Concat(all, strings.Fields(part))
	}
	return all
}
