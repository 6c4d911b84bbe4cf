package kcc

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// RunService is what one RunService says.
type RunService struct {
	Namespace, Name string
	UID             string
	Version         string // metadata.resourceVersion
	// Generation is the RunService's own, Observed the one that Config Connector has
	// seen. Neither is Cloud Run's.
	Generation, Observed int64
	Deleting             bool

	// Ready is Config Connector's only condition.
	Ready Condition
	// Traffic is spec.traffic; Unclear is why nobody can say what it asks for.
	Traffic []rollout.Entry
	Unclear string
	Owners  []Owner

	// TemplateRevision is spec.template.revision.
	TemplateRevision string

	annotations map[string]string
	list        []any // spec.traffic to the letter
}

// Condition is what Config Connector says of its last attempt.
type Condition struct {
	True            bool
	Reason, Message string
	// Since is when it last became true, or ceased to be: what it is instead may change
	// without that. Zero where it does not say.
	Since time.Time
}

// String names a RunService for people.
func (r RunService) String() string { return fmt.Sprintf("%s %s/%s", kind, r.Namespace, r.Name) }

func readRunService(o *unstructured.Unstructured) RunService {
	spec, _ := o.Object["spec"].(map[string]any)
	list, _ := spec["traffic"].([]any)
	observed, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
	named, _, _ := unstructured.NestedString(o.Object, "spec", "template", "revision")
	read := readTraffic(spec)
	return RunService{
		Namespace: o.GetNamespace(), Name: o.GetName(), UID: string(o.GetUID()), Version: o.GetResourceVersion(),
		Generation: o.GetGeneration(), Observed: observed, Deleting: o.GetDeletionTimestamp() != nil,
		Ready: readyOf(o), Traffic: read.entries, Unclear: read.unclear, Owners: ownersOf(o.GetManagedFields()),
		TemplateRevision: named, annotations: o.GetAnnotations(), list: list,
	}
}

func readyOf(o *unstructured.Unstructured) Condition {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, one := range conditions {
		c, _ := one.(map[string]any)
		if c["type"] == "Ready" {
			reason, _ := c["reason"].(string)
			message, _ := c["message"].(string)
			since, _ := c["lastTransitionTime"].(string)
			return Condition{
				True: c["status"] == "True", Reason: google.Clean(reason), Message: google.Clean(message), Since: google.Time(since),
			}
		}
	}
	return Condition{}
}

// serviceRef is the service that a RunService is about, or why that cannot be told. A
// project that is not written is taken from the names of its revisions. Neither is trusted
// more than the other: who writes a RunService may write both, and what they name has to be
// bound to its namespace. A project's number is no substitute for its id, by which access
// is granted.
func serviceRef(o *unstructured.Unstructured) (ref rollout.ServiceRef, why string) {
	location, _, _ := unstructured.NestedString(o.Object, "spec", "location")
	resource, _, _ := unstructured.NestedString(o.Object, "spec", "resourceID")
	project, _, _ := unstructured.NestedString(o.Object, "spec", "projectRef", "external")
	latest, _, _ := unstructured.NestedString(o.Object, "status", "latestCreatedRevision")
	project = strings.TrimPrefix(cmp.Or(project, projectIn(latest)), "projects/")
	if project == "" || strings.Trim(project, "0123456789") == "" {
		return rollout.ServiceRef{}, fmt.Sprintf("the project of %s %s/%s is not known: write its id into spec.projectRef.external",
			kind, o.GetNamespace(), o.GetName())
	}
	return rollout.ServiceRef{Project: project, Location: location, Name: cmp.Or(resource, o.GetName())}, ""
}

// projectIn is the project in a full name; "" for a short one.
func projectIn(name string) string {
	rest, found := strings.CutPrefix(name, "projects/")
	project, _, _ := strings.Cut(rest, "/")
	if !found {
		return ""
	}
	return project
}
