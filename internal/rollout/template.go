package rollout

import (
	"errors"
	"strings"
)

// TemplateAnnotation is the annotation of a service's template, and so of each revision
// made from it, that says which template of ours it is: its digest.
const TemplateAnnotation = "rollouts.sluice.dev/template"

// Template is what a service's next revision is to be made from, as its owner wrote it.
// Two templates are the same when they are equal.
type Template struct {
	// Digest is the first 16 hexadecimal digits of the SHA-256 of JSON.
	Digest string
	// JSON is the template in the Cloud Run API's own JSON, in its one canonical form:
	// keys sorted, no white space, without TemplateAnnotation.
	JSON string
	// Image is that of its first container, for people.
	Image string
}

// IsZero tells that there is no template.
func (t Template) IsZero() bool { return t == Template{} }

// Deploy is a compare-and-swap of a service's whole template. Only NewDeploy makes one,
// so a Deploy that exists is well formed: an etag, and a template that is an object.
type Deploy struct {
	etag       string
	generation int64
	template   Template
}

// ETag is the version of the service that the decision was made on.
func (d Deploy) ETag() string { return d.etag }

// Generation is the service's generation that the decision was made on; an accepted
// write must answer with the next one.
func (d Deploy) Generation() int64 { return d.generation }

// Template is what is deployed. Whoever sends it adds TemplateAnnotation.
func (d Deploy) Template() Template { return d.template }

// NewDeploy asks for a template on the service as it was read. It refuses an empty
// etag, a template that is not whole, and one that is no object: a mask that names the
// template and a body without one would take the service's template away.
func NewDeploy(etag string, generation int64, t Template) (*Deploy, error) {
	switch {
	case etag == "":
		return nil, errors.New("deploy without etag")
	case t.Digest == "" || t.JSON == "":
		return nil, errors.New("deploy without template")
	case !strings.HasPrefix(t.JSON, "{") || !strings.HasSuffix(t.JSON, "}"):
		return nil, errors.New("deploy of a template that is not an object")
	}
	return &Deploy{etag: etag, generation: generation, template: t}, nil
}
