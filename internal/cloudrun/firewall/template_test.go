package firewall

import (
	"strings"
	"testing"
)

const (
	templateMasked = service + "?alt=json&prettyPrint=false&updateMask=template"
	marked         = `"annotations":{"rollouts.sluice.dev/template":"0123456789abcdef","team":"web"}`
	image          = `"containers":[{"image":"web:2"}]`
	goodTemplate   = `{"etag":"\"x\"","template":{` + marked + `,"containers":[{"image":"web:2","env":[{"name":"A","value":"b"}],"resources":{"cpuIdle":false}}],` +
		`"scaling":{"minInstanceCount":0}}}` + "\n"
)

func TestTemplatesThatAreRefused(t *testing.T) {
	t.Parallel()
	of := func(fields string) string { return `{"etag":"x","template":{` + fields + `}}` }
	annotated := func(annotations string) string { return of(`"annotations":` + annotations + `,` + image) }
	contained := func(containers string) string { return of(marked + `,"containers":` + containers) }
	cases := map[string]struct{ body, want string }{
		"an empty Go struct, as omitempty writes it": {`{"etag":"x"}`, "takes the service's away"},
		"a null":                           {`{"etag":"x","template":null}`, "not an object"},
		"a list":                           {`{"etag":"x","template":[]}`, "not an object"},
		"an empty one":                     {of(``), "no annotations"},
		"no etag":                          {`{"template":{` + marked + `,` + image + `}}`, "no etag"},
		"an empty etag":                    {`{"etag":"","template":{` + marked + `,` + image + `}}`, "no etag"},
		"traffic beside it":                {`{"etag":"x","traffic":` + whole + `,"template":{` + marked + `,` + image + `}}`, `"traffic"`},
		"traffic in its place":             {`{"etag":"x","traffic":` + whole + `}`, `"traffic"`},
		"annotations of the service":       {`{"etag":"x",` + marked + `,"template":{` + marked + `,` + image + `}}`, `"annotations"`},
		"another service's name":           {`{"name":"projects/shop/locations/l/services/api","etag":"x","template":{` + marked + `,` + image + `}}`, "names"},
		"a name for the revision":          {of(marked + `,"revision":"web-2",` + image), `"revision"`},
		"no name for the revision":         {of(marked + `,"revision":"",` + image), `"revision"`},
		"a null for the revision":          {of(marked + `,"revision":null,` + image), `"revision"`},
		"the revision in capitals":         {of(marked + `,"Revision":"web-2",` + image), `"Revision"`},
		"the revision escaped":             {of(marked + `,"revisio\u006e":"web-2",` + image), `"revision"`},
		"no annotations":                   {of(image), "no annotations"},
		"annotations that are null":        {annotated(`null`), "not an object"},
		"annotations without the digest":   {annotated(`{"team":"web"}`), "without the digest"},
		"a digest of 15 digits":            {annotated(`{"rollouts.sluice.dev/template":"0123456789abcde"}`), "without the digest"},
		"a digest in capitals":             {annotated(`{"rollouts.sluice.dev/template":"0123456789ABCDEF"}`), "without the digest"},
		"a digest that is a number":        {annotated(`{"rollouts.sluice.dev/template":1}`), "not a string"},
		"an annotation that is no string":  {annotated(`{"rollouts.sluice.dev/template":"0123456789abcdef","a":{}}`), "not a string"},
		"the digest twice":                 {annotated(`{"rollouts.sluice.dev/template":"0123456789abcdef","rollouts.sluice.dev/template":"0123456789abcdef"}`), "twice"},
		"no containers":                    {of(marked), "without containers"},
		"containers that are null":         {contained(`null`), "without containers"},
		"containers that are an object":    {contained(`{"image":"a"}`), "without containers"},
		"an empty list of containers":      {contained(`[]`), "without containers"},
		"a container without image":        {contained(`[{"image":"a"},{"name":"b"}]`), "without image"},
		"a container with an empty image":  {contained(`[{"image":""}]`), "without image"},
		"a container that is null":         {contained(`[null]`), "not an object"},
		"an image that is no string":       {contained(`[{"image":["a"]}]`), "not a string"},
		"an image twice":                   {contained(`[ {"image":"a", "image":"b"} ]`), "twice"},
		"a variable's name twice":          {contained(`[ { "image" : "a", "env" : [ { "name" : "A", "name" : "B" } ] } ]`), "twice"},
		"a template twice":                 {`{"etag":"x","template":{},"template":{` + marked + `,` + image + `}}`, "twice"},
		"the template in capitals":         {`{"etag":"x","Template":{` + marked + `,` + image + `}}`, `"Template"`},
		"one that is nested without end":   {of(marked + `,` + image + `,"a":` + strings.Repeat(`[`, maxDepth) + strings.Repeat(`]`, maxDepth)), "too deep"},
		"a huge one":                       {of(marked + `,` + image + `,"a":"` + strings.Repeat("x", maxTemplate) + `"`), "too large"},
		"a second document":                {goodTemplate + `{}`, "not JSON"},
		"a field of the service beside it": {`{"etag":"x","scaling":{},"template":{` + marked + `,` + image + `}}`, `"scaling"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuse(t, patch(t, templateMasked, c.body), c.want)
		})
	}
}

// TestADoorIsNoneForTheOtherWrite: each body is refused under the other's mask.
func TestADoorIsNoneForTheOtherWrite(t *testing.T) {
	t.Parallel()
	refuse(t, patch(t, masked, goodTemplate), `"template"`)
	refuse(t, patch(t, service+"?updateMask=traffic,annotations", goodTemplate), `"template"`)
	refuse(t, patch(t, templateMasked, good), `"traffic"`)
	for _, more := range []string{"&allowMissing=true", "&forceNewRevision=true", "&validateOnly=false", "&updateMask=traffic", "&update_mask=traffic"} {
		refuse(t, patch(t, templateMasked+more, goodTemplate), "parameter")
	}
}
