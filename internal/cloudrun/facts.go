package cloudrun

import (
	"regexp"
	"slices"
	"strings"

	run "google.golang.org/api/run/v2"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// keeperOf is who keeps a service as their own description of it says: Config
// Connector, which labels what it keeps (k8s-config-connector, pkg/label/const.go).
func keeperOf(labels map[string]string) string {
	if labels["managed-by-cnrm"] == "true" {
		return "Config Connector"
	}
	return ""
}

// revisionOf is the name that a service's template gives to revisions; "" where it
// leaves that to Cloud Run.
func revisionOf(template *run.GoogleCloudRunV2RevisionTemplate) string {
	if template == nil {
		return ""
	}
	return google.Clean(template.Revision)
}

// digest is what the annotation of a template of ours says, and nothing else is
// believed.
var digest = regexp.MustCompile(`^[0-9a-f]{16}$`)

// digestOf is which template of ours these annotations are of; "" for none.
func digestOf(annotations map[string]string) string {
	if value := annotations[rollout.TemplateAnnotation]; digest.MatchString(value) {
		return value
	}
	return ""
}

// templateOf is which template of ours a service's template is; "" for none.
func templateOf(template *run.GoogleCloudRunV2RevisionTemplate) string {
	if template == nil {
		return ""
	}
	return digestOf(template.Annotations)
}

// longestVariable bounds the name of a variable that is told.
const longestVariable = 63

// socketOfCloudSQL tells whether a revision mounts the built-in socket of Cloud SQL.
func socketOfCloudSQL(volumes []*run.GoogleCloudRunV2Volume) bool {
	return slices.ContainsFunc(volumes, func(v *run.GoogleCloudRunV2Volume) bool { return v != nil && v.CloudSqlInstance != nil })
}

// ownURL is the first variable of a revision's environment whose value contains a
// public URL of its own service. Only its name leaves this function: values are
// secrets.
func ownURL(revision string, containers []*run.GoogleCloudRunV2Container) string {
	url, ok := urlsOf(revision)
	if !ok {
		return ""
	}
	for _, c := range containers {
		if c == nil {
			continue
		}
		for _, variable := range c.Env {
			if variable != nil && url.MatchString(variable.Value) {
				name := google.Clean(variable.Name)
				return name[:min(len(name), longestVariable)]
			}
		}
	}
	return ""
}

// urlsOf matches the public URLs of the service of a revision, which is given by
// its full name: SERVICE-HASH-CODE.a.run.app and SERVICE-NUMBER.REGION.run.app (docs
// run/managing/services). Those of a service whose name begins with the same word
// have another number of parts.
func urlsOf(revision string) (*regexp.Regexp, bool) {
	parts := strings.Split(revision, "/")
	if i := slices.Index(parts, "services"); i >= 0 && i+1 < len(parts) && parts[i+1] != "" {
		url, err := regexp.Compile(`//` + regexp.QuoteMeta(parts[i+1]) + `-([a-z0-9]+-[a-z]{1,4}\.a|[0-9]+\.[a-z0-9-]+)\.run\.app\b`)
		return url, err == nil
	}
	return nil, false
}
