package configconnector

import (
	"context"
	"fmt"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Identity is the account that Config Connector calls Cloud Run with.
const Identity = "config-connector@example-project.iam.gserviceaccount.com"

// The annotations of an object that Config Connector heeds.
const (
	IntervalAnnotation      = "cnrm.cloud.google.com/reconcile-interval-in-seconds"
	StateIntoSpecAnnotation = "cnrm.cloud.google.com/state-into-spec"
)

// RunServices is the resource that it looks after.
var RunServices = schema.GroupVersionResource{Group: "run.cnrm.cloud.google.com", Version: "v1beta1", Resource: "runservices"}

const (
	// meanInterval is how often drift is looked for (pkg/k8s/constants.go). The real
	// one is spread between half and one and a half of it.
	meanInterval = 10 * time.Minute
	// longestUpdate is how long an update is waited for (the provider's timeout).
	longestUpdate = 20 * time.Minute
	retry         = time.Minute
)

// Stage says how far Config Connector is with one object.
type Stage string

// The stages. An object goes through them alone: nothing that happens to it
// meanwhile is seen before it is Idle again.
const (
	Idle      Stage = "Idle"      // nothing is due
	Read      Stage = "Read"      // the object and its service were read
	Announced Stage = "Announced" // status says Updating, nothing was sent yet
	Waiting   Stage = "Waiting"   // the update was sent and is not done
)

// Connector is Config Connector for the RunServices that it is told to step
// through. It is not safe for concurrent use.
type Connector struct {
	client dynamic.Interface
	cloud  Cloud
	work   map[types.NamespacedName]*work
}

// New makes one that has seen nothing yet.
func New(client dynamic.Interface, cloud Cloud) *Connector {
	return &Connector{client: client, cloud: cloud, work: map[types.NamespacedName]*work{}}
}

// work is what it knows of one object.
type work struct {
	stage  Stage
	cause  string    // what the object was like when it was last begun; "" begins at once
	next   time.Time // of the look for drift; zero for never
	object *unstructured.Unstructured
	update update

	operation string
	sent      time.Time
}

// Run goes on with an object until nothing is due or an update is waited for.
func (c *Connector) Run(ctx context.Context, key types.NamespacedName) (Stage, error) {
	for {
		before := c.of(key).stage
		stage, err := c.Step(ctx, key)
		if err != nil || stage == Idle || stage == before {
			return stage, err
		}
	}
}

// Step does one thing for an object, and tells the stage that it is in then. Its
// errors are those of a stage that is broken; what Cloud Run refuses is told in the
// object's status.
func (c *Connector) Step(ctx context.Context, key types.NamespacedName) (Stage, error) {
	w := c.of(key)
	var err error
	switch w.stage {
	case Idle:
		err = c.begin(ctx, key, w)
	case Read:
		err = c.announce(ctx, w)
	case Announced:
		err = c.send(ctx, w)
	case Waiting:
		err = c.wait(ctx, w)
	}
	if apierrors.IsConflict(err) { // somebody wrote the object in between: begin again
		w.stage, w.cause, err = Idle, "", nil
	}
	if err != nil {
		return w.stage, fmt.Errorf("stepping through RunService %s: %w", key, err)
	}
	return w.stage, nil
}

// Due is when drift is looked for in an object that is Idle; zero for never.
func (c *Connector) Due(key types.NamespacedName) time.Time { return c.of(key).next }

func (c *Connector) of(key types.NamespacedName) *work {
	w, ok := c.work[key]
	if !ok {
		w = &work{stage: Idle}
		c.work[key] = w
	}
	return w
}

// begin reads an object and its service, if it is time to.
func (c *Connector) begin(ctx context.Context, key types.NamespacedName, w *work) error {
	object, err := c.client.Resource(RunServices).Namespace(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	cause := causeOf(object)
	if cause == w.cause && (w.next.IsZero() || c.cloud.Now().Before(w.next)) {
		return nil
	}
	w.object, w.cause, w.next = object, cause, c.nextLook(object)
	if skips(object) {
		return nil
	}
	paused, err := c.paused(ctx, object)
	if err != nil || paused {
		return err
	}
	live, err := c.cloud.GetService(serviceOf(object))
	if err != nil {
		return c.fail(ctx, w, fmt.Errorf("error fetching live state: %w", err))
	}
	if w.update, err = updateOf(object, live); err != nil {
		return err
	}
	w.stage = Read
	return nil
}

// causeOf are the parts of an object whose change makes Config Connector look at it
// (pkg/controller/predicate/predicate.go).
func causeOf(o *unstructured.Unstructured) string {
	// Maps are printed in the order of their keys.
	return fmt.Sprint(o.GetUID(), o.GetGeneration(), o.GetDeletionTimestamp(), o.GetAnnotations()[IntervalAnnotation], o.GetLabels())
}

// nextLook is when drift is looked for; never with an interval of 0.
func (c *Connector) nextLook(o *unstructured.Unstructured) time.Time {
	seconds, err := strconv.Atoi(o.GetAnnotations()[IntervalAnnotation])
	switch {
	case err != nil:
		return c.cloud.Now().Add(meanInterval)
	case seconds == 0:
		return time.Time{}
	}
	return c.cloud.Now().Add(time.Duration(seconds) * time.Second)
}

// skips tells whether an object is left alone: with an interval of 0, once it is up
// to date (resourceactuation.go, ShouldSkip).
func skips(o *unstructured.Unstructured) bool {
	observed, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
	return o.GetAnnotations()[IntervalAnnotation] == "0" && observed == o.GetGeneration() && ready(o) == upToDate
}

// announce says in status that an update begins, or that none is needed.
func (c *Connector) announce(ctx context.Context, w *work) error {
	if !w.update.differs {
		return c.finish(ctx, w)
	}
	c.setReady(w.object, "False", updating, "Update in progress")
	if err := c.putStatus(ctx, w, w.object.GetGeneration()); err != nil {
		return err
	}
	w.stage = Announced
	return nil
}

// send updates the service: without a mask and without an etag, so that whatever
// happened since it was read is overwritten
// (resource_cloud_run_v2_service.go, resourceCloudRunV2ServiceUpdate).
func (c *Connector) send(ctx context.Context, w *work) error {
	op, err := c.cloud.PatchService(simulator.PatchRequest{Name: serviceOf(w.object), Service: w.update.body})
	if err != nil {
		return c.fail(ctx, w, fmt.Errorf("error applying desired state: %w", err))
	}
	w.stage, w.operation, w.sent = Waiting, op.Name, c.cloud.Now()
	return nil
}

// wait looks whether an update is done.
func (c *Connector) wait(ctx context.Context, w *work) error {
	op, err := c.cloud.GetOperation(w.operation)
	switch {
	case err != nil:
		return c.fail(ctx, w, err)
	case op.Error != nil:
		return c.fail(ctx, w, fmt.Errorf("error waiting to update Service: Error code %d, message: %s", op.Error.Code, op.Error.Message))
	case op.Done:
		return c.finish(ctx, w)
	case c.cloud.Now().Sub(w.sent) >= longestUpdate:
		return c.fail(ctx, w, fmt.Errorf("timeout while waiting for operation %s to complete", w.operation))
	}
	return nil
}

// serviceOf is the full name of an object's service.
func serviceOf(o *unstructured.Unstructured) string {
	project, _, _ := unstructured.NestedString(o.Object, "spec", "projectRef", "external")
	location, _, _ := unstructured.NestedString(o.Object, "spec", "location")
	name, _, _ := unstructured.NestedString(o.Object, "spec", "resourceID")
	if name == "" {
		name = o.GetName()
	}
	return "projects/" + project + "/locations/" + location + "/services/" + name
}
