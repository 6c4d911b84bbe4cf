package template

import "strings"

// others are names that other forms of the same settings have: Knative's, which gcloud
// exports, and Config Connector's.
var others = map[string]string{
	"RevisionTemplate.containerConcurrency": "maxInstanceRequestConcurrency",
	"RevisionTemplate.timeoutSeconds":       `timeout, such as timeout: "300s"`,
	"RevisionTemplate.serviceAccountName":   "serviceAccount",
	"RevisionTemplate.minInstanceCount":     "scaling.minInstanceCount",
	"RevisionTemplate.maxInstanceCount":     "scaling.maxInstanceCount",
	"EnvVar.valueFrom":                      "valueSource",
	"SecretKeySelector.name":                "secret",
	"SecretKeySelector.secretRef":           "secret",
	"SecretKeySelector.key":                 "version",
	"SecretKeySelector.versionRef":          "version",
	"ResourceRequirements.requests":         "limits",
}

// foreign are names at the top that show that something else was written there.
var foreign = map[string]string{
	"metadata":      "; this is the template of Cloud Run's v2 API, without metadata and spec: write labels, annotations and containers directly under template",
	"spec":          "; this is the template of Cloud Run's v2 API, without metadata and spec: write labels, annotations and containers directly under template",
	"template":      "; write what is in it directly under spec.template",
	"traffic":       "; traffic is for Sluice to set: say in spec.strategy.steps how it is shifted",
	"ingress":       "; it is a setting of the service, not of its revisions: set it with gcloud or Terraform, Sluice leaves it alone",
	"launchStage":   "; it is a setting of the service, not of its revisions: set it with gcloud or Terraform, Sluice leaves it alone",
	"manualScaling": "; it is a setting of the service, not of its revisions: set it with gcloud or Terraform, Sluice leaves it alone",
}

// instead says what was probably meant by a field that a type does not have; "" where
// nothing is near.
func instead(kind, name string, known fields) string {
	if text, ok := foreign[name]; ok && kind == root {
		return text
	}
	if meant, ok := others[kind+"."+name]; ok {
		return "; write " + meant
	}
	if meant := nearest(name, known.names()); meant != "" {
		return "; did you mean " + meant + "?"
	}
	return ""
}

// nearest is the name that differs least, in case and underscores or in few letters:
// one in three, and two at most.
func nearest(name string, known []string) string {
	if len(name) > maxName {
		return ""
	}
	best, least := "", min(len(name)/3, 2)+1
	for _, candidate := range known {
		if d := distance(plain(name), plain(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// plain is a name without what the API's other spelling has.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// distance counts the bytes to change, add or leave out (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
