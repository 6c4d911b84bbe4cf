package source_test

import (
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/internal/cli/source"
)

// object is what kubectl get -o yaml writes of one rollout, which ends without a ---.
func object(name string) string {
	return "apiVersion: rollouts.sluice.dev/v1alpha1\nkind: CloudRunRollout\nmetadata:\n  name: " + name + "\n  namespace: shop\n"
}

// TestAFileIsReadAsKubectlWritesIt, one object or many, and one that would lose an object is
// refused with how to mend it.
func TestAFileIsReadAsKubectlWritesIt(t *testing.T) {
	t.Parallel()
	inJSON := func(name string) string {
		return `{"apiVersion": "rollouts.sluice.dev/v1alpha1", "kind": "CloudRunRollout", "metadata": {"name": "` + name + `", "namespace": "shop"}}` + "\n"
	}
	for what, c := range map[string]struct{ text, names, wrong string }{
		"one":                         {object("web"), "web", ""},
		"two":                         {object("web") + "---\n" + object("api"), "web api", ""},
		"two, with more lines of ---": {"---\n# saved at 03:07Z\n---\n" + object("web") + "---\n---\n" + object("api") + "---\n", "web api", ""},
		"a list":                      {"apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(object("web")), "\n", "\n  ") + "\n", "web", ""},
		"two in JSON":                 {inJSON("web") + inJSON("api"), "web api", ""},
		"something else beside it":    {"apiVersion: v1\nkind: Secret\n---\n" + object("web"), "web", ""},
		"two without a line between":  {object("web") + object("api"), "", "between two objects write a line with ---"},
		"nothing":                     {"# nothing\n", "", "no CloudRunRollout in it"},
	} {
		file, err := source.ReadFile(strings.NewReader(c.text))
		var names []string
		for _, ro := range file {
			names = append(names, ro.Name)
		}
		if got := strings.Join(names, " "); got != c.names || (err == nil) != (c.wrong == "") {
			t.Errorf("%s: read %q, want %q: %v", what, got, c.names, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v, want that it says %q", what, err, c.wrong)
		}
	}
}
