package source_test

import (
	"testing"

	"github.com/sluice-rollouts/sluice/internal/cli/source"
)

func TestARolloutIsNamedAsPeopleAndKubectlDo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"web":                  "here/web",
		"shop/web":             "shop/web",
		"crr/web":              "here/web",
		"cloudrunrollouts/web": "here/web",
		"cloudrunrollout.rollouts.sluice.dev/web": "here/web",
	} {
		if got, err := source.ParseName(text, "here"); err != nil || got.String() != want {
			t.Errorf("%s names %s, %v, and not %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "/", "shop/", "/web", "a/b/c"} {
		if got, err := source.ParseName(text, "here"); err == nil {
			t.Errorf("%q names %s", text, got)
		}
	}
}
