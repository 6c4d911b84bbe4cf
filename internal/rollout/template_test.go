package rollout

import "testing"

func TestADeployIsWholeOrThereIsNone(t *testing.T) {
	t.Parallel()
	whole := Template{Digest: "0123456789abcdef", JSON: `{"containers":[{"image":"web:2"}]}`}
	for name, c := range map[string]struct {
		etag     string
		template Template
		made     bool
	}{
		"a whole one":                  {"x", whole, true},
		"without etag":                 {"", whole, false},
		"without template":             {"x", Template{}, false},
		"without digest":               {"x", Template{JSON: whole.JSON}, false},
		"with a digest alone":          {"x", Template{Digest: whole.Digest}, false},
		"of null":                      {"x", Template{Digest: whole.Digest, JSON: "null"}, false},
		"of a list":                    {"x", Template{Digest: whole.Digest, JSON: "[]"}, false},
		"of an object that breaks off": {"x", Template{Digest: whole.Digest, JSON: "{"}, false},
	} {
		d, err := NewDeploy(c.etag, 7, c.template)
		if (err == nil) != c.made || (d != nil) != c.made {
			t.Errorf("%s: %+v, error %v", name, d, err)
			continue
		}
		if c.made && (d.ETag() != c.etag || d.Generation() != 7 || d.Template() != c.template) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestOnlyNoTemplateIsZero(t *testing.T) {
	t.Parallel()
	for template, want := range map[Template]bool{{}: true, {Digest: "a"}: false, {JSON: "{}"}: false} {
		if template.IsZero() != want {
			t.Errorf("%+v: zero %t", template, !want)
		}
	}
}
