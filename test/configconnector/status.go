package configconnector

import (
	"context"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// The reasons of the condition Ready, the only one there is (pkg/k8s/constants.go).
const (
	upToDate     = "UpToDate"
	updating     = "Updating"
	updateFailed = "UpdateFailed"
)

// reported are the fields of a service that status repeats. The generation that
// status says it observed is the RunService's own, never Cloud Run's
// (config/servicemappings/run.yaml).
var reported = []string{
	"createTime", "creator", "etag", "lastModifier", "latestCreatedRevision", "latestReadyRevision", "reconciling",
	"terminalCondition", "trafficStatuses", "uid", "updateTime", "uri",
}

// ready is the reason of the condition Ready.
func ready(o *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	if len(conditions) == 0 {
		return ""
	}
	reason, _ := conditions[0].(map[string]any)["reason"].(string)
	return reason
}

// setReady replaces the condition Ready. Its time changes with its status alone
// (lifecyclehandler/handler.go, setCondition).
func (c *Connector) setReady(o *unstructured.Unstructured, status, reason, message string) {
	since := c.cloud.Now().UTC().Format(time.RFC3339)
	if old, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions"); len(old) > 0 {
		if was, _ := old[0].(map[string]any); was["status"] == status {
			since, _ = was["lastTransitionTime"].(string)
		}
	}
	statusOf(o)["conditions"] = []any{map[string]any{
		"type": "Ready", "status": status, "reason": reason, "message": message, "lastTransitionTime": since,
	}}
}

// statusOf is an object's status, made where there is none.
func statusOf(o *unstructured.Unstructured) map[string]any {
	status, ok := o.Object["status"].(map[string]any)
	if !ok {
		status = map[string]any{}
		o.Object["status"] = status
	}
	return status
}

// putStatus writes the whole status, on the version of the object that was read.
func (c *Connector) putStatus(ctx context.Context, w *work, observed int64) error {
	statusOf(w.object)["observedGeneration"] = observed
	after, err := c.client.Resource(RunServices).Namespace(w.object.GetNamespace()).UpdateStatus(
		ctx, w.object, metav1.UpdateOptions{FieldManager: Manager})
	if err == nil {
		w.object = after
	}
	return err
}

// fail says what went wrong, and tries again later.
func (c *Connector) fail(ctx context.Context, w *work, cause error) error {
	w.stage, w.next = Idle, c.cloud.Now().Add(retry)
	c.setReady(w.object, "False", updateFailed, "Update call failed: "+cause.Error())
	return c.putStatus(ctx, w, w.object.GetGeneration())
}

// finish says that an object is up to date, and writes into spec what belongs
// there: always the resource's name, and in merge mode what is live. Both are
// written whole, on the version that was read (lifecyclehandler/handler.go,
// HandleUpToDate). What it writes into spec makes a generation that it has not
// observed.
func (c *Connector) finish(ctx context.Context, w *work) error {
	w.stage = Idle
	live, err := c.cloud.GetService(serviceOf(w.object))
	if err != nil {
		return c.fail(ctx, w, err)
	}
	next, observed := w.object.DeepCopy(), w.object.GetGeneration()
	if err := c.fill(ctx, next, live); err != nil {
		return err
	}
	if err := c.report(next, live); err != nil {
		return err
	}
	was, _, _ := unstructured.NestedInt64(w.object.Object, "status", "observedGeneration")
	if was == observed && reflect.DeepEqual(next.Object, w.object.Object) {
		return nil
	}
	status := next.Object["status"]
	written, err := c.client.Resource(RunServices).Namespace(next.GetNamespace()).Update(ctx, next, metav1.UpdateOptions{FieldManager: Manager})
	if err != nil {
		return err
	}
	written.Object["status"] = status
	w.object = written
	return c.putStatus(ctx, w, observed)
}

// fill writes into spec what Config Connector writes there.
func (c *Connector) fill(ctx context.Context, o *unstructured.Unstructured, live simulator.Service) error {
	spec, _ := o.Object["spec"].(map[string]any)
	if _, ok := spec["resourceID"]; !ok {
		spec["resourceID"] = o.GetName()
	}
	merge, err := c.merges(ctx, o)
	if err != nil || !merge {
		return err
	}
	state, err := stateOf(live)
	if err != nil {
		return err
	}
	mergeInto(spec, state)
	return nil
}

// mergeInto writes live state into spec: fields that are missing there, and lists as
// they are live (pkg/krmtotf/tftokrm.go).
func mergeInto(spec, state map[string]any) {
	for key, value := range state {
		inner, isMap := value.(map[string]any)
		known, ok := spec[key].(map[string]any)
		_, isList := value.([]any)
		_, there := spec[key]
		switch {
		case isMap && ok:
			mergeInto(known, inner)
		case isList, !there:
			spec[key] = value
		}
	}
}

// report writes a service into status.
func (c *Connector) report(o *unstructured.Unstructured, live simulator.Service) error {
	all, err := through[map[string]any](live)
	if err != nil {
		return err
	}
	status := statusOf(o)
	for _, key := range reported {
		delete(status, key)
		if value, ok := all[key]; ok {
			status[key] = value
		}
	}
	c.setReady(o, "True", upToDate, "The resource is up to date")
	return nil
}
