package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// deletion is one of the things that a person may take away.
type deletion string

const (
	theObject     deletion = "object"
	theNamespace  deletion = "namespace"
	theDefinition deletion = "definition"
	theOperator   deletion = "operator"
)

// orders are all orders of some deletions.
func orders(of ...deletion) [][]deletion {
	if len(of) == 0 {
		return [][]deletion{nil}
	}
	var all [][]deletion
	for i, first := range of {
		for _, rest := range orders(slices.Concat(of[:i], of[i+1:])...) {
			all = append(all, append([]deletion{first}, rest...))
		}
	}
	return all
}

// taking is a policy, and the order in which everything is taken away.
type taking struct {
	policy v1alpha1.OnDelete
	order  []deletion
}

// takings are all orders with both policies. Four of them have everything once in
// each place, and are played without -all.
func takings() []taking {
	if !*all {
		return []taking{
			{v1alpha1.OnDeleteFreeze, []deletion{theObject, theNamespace, theDefinition, theOperator}},
			{v1alpha1.OnDeleteRollback, []deletion{theNamespace, theDefinition, theObject, theOperator}},
			{v1alpha1.OnDeleteRollback, []deletion{theDefinition, theOperator, theNamespace, theObject}},
			{v1alpha1.OnDeleteFreeze, []deletion{theOperator, theObject, theDefinition, theNamespace}},
		}
	}
	var every []taking
	for _, policy := range []v1alpha1.OnDelete{v1alpha1.OnDeleteFreeze, v1alpha1.OnDeleteRollback} {
		for _, order := range orders(theObject, theNamespace, theDefinition, theOperator) {
			every = append(every, taking{policy, order})
		}
	}
	return every
}

// together is how many orders are played side by side. They share a definition,
// which goes once for all of them.
const together = 6

// TestDeletion takes everything away in the middle of an attempt, in every order
// and with both policies. Nothing is left behind for long, traffic is never raised,
// and after the object nothing is written.
func TestDeletion(t *testing.T) {
	t.Parallel()
	scenario{short: true}.enter(t)
	own, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Stop() })
	for batch := range slices.Chunk(takings(), together) {
		t.Run(fmt.Sprint(batch), func(t *testing.T) { takeAway(t, own, batch) })
	}
}

// victim is a rollout at its first step from which everything is taken away.
type victim struct {
	*stage
	taking
	operator *operator
	writes   int // before the first deletion
}

// takeAway plays some orders: what each takes before the definition, that, and what
// each takes after it.
func takeAway(t *testing.T, plane *controlplane.ControlPlane, takings []taking) {
	t.Helper()
	victims := make([]*victim, 0, len(takings))
	for _, taking := range takings {
		v := &victim{stage: newStage(t, plane), taking: taking}
		v.edit(func(spec *v1alpha1.CloudRunRolloutSpec) { spec.Strategy.OnDelete = taking.policy })
		v.operator = v.newOperator(alone...).startLeading()
		victims = append(victims, v)
	}
	for _, v := range victims {
		v.deploy("web:2", "web-2")
	}
	for _, v := range victims {
		v.bakes("web-2", 20)
		v.guard.SetSpeed(0) // until it is deleted, from when on no step may follow
		v.writes = len(v.patches())
	}
	for _, v := range victims {
		v.announce()
		at := slices.Index(v.order, theDefinition)
		v.lose(v.order[:at])
	}
	victims[0].delete(definition())
	for _, v := range victims {
		at := slices.Index(v.order, theDefinition)
		v.lose(v.order[at+1:])
	}
	for _, v := range victims {
		v.goesOn()
	}
	for _, v := range victims {
		v.await("everything is gone", func() bool { return v.left() == "" })
	}
	victims[0].await("time has passed", victims[0].passes(still))
	for _, v := range victims {
		v.onlyLowered()
	}
	victims[0].defineAgain()
}

// announce notes the generation that the deletion of an object with a finalizer has.
func (v *victim) announce() {
	v.t.Helper()
	v.asked(func(now time.Time) (invariants.Event, error) {
		plan := planOf(now, v.get())
		plan.Number++
		return plan, nil
	})
}

// lose deletes in an order, without waiting in between. Only a manager that is
// stopped last may finish before. Of what a manager that is gone has left behind, a
// person takes the finalizer off.
func (v *victim) lose(order []deletion) {
	v.t.Helper()
	for _, d := range order {
		switch d {
		case theObject:
			v.deleteObject()
		case theNamespace:
			v.deleteNamespace()
		case theOperator:
			if v.order[len(v.order)-1] == theOperator {
				v.goesOn()
				v.await("the manager lets the object go", v.gone)
			}
			v.operator.kill()
			v.escape()
		case theDefinition: // goes once for all
		}
	}
}

// onlyLowered holds what was written since the first deletion: the way back where
// it was asked for, and a manager was there for it; nothing else.
func (v *victim) onlyLowered() {
	v.t.Helper()
	sent := v.patches()[v.writes:]
	if v.policy == v1alpha1.OnDeleteFreeze && len(sent) > 0 {
		v.t.Errorf("%v: %d writes, and traffic was to stay", v.taking, len(sent))
	}
	for _, call := range sent {
		if call.Accepted && call.After.Desired["web-2"] > 0 {
			v.t.Errorf("%v: web-2 was given %d%%", v.taking, call.After.Desired["web-2"])
		}
	}
	if v.policy == v1alpha1.OnDeleteRollback && v.order[len(v.order)-1] == theOperator && v.serves("web-2") > 0 {
		v.t.Errorf("%v: web-2 still serves %d%%", v.taking, v.serves("web-2"))
	}
}

// goesOn lets time pass once the object is being deleted.
func (v *victim) goesOn() {
	v.t.Helper()
	v.await("the object is being deleted", func() bool {
		ro := &v1alpha1.CloudRunRollout{}
		err := v.people.Get(v.t.Context(), v.key, ro)
		return apierrors.IsNotFound(err) || err == nil && !ro.DeletionTimestamp.IsZero()
	})
	v.guard.SetSpeed(speed)
}

// deleteObject deletes the rollout, if it is there.
func (s *stage) deleteObject() {
	s.t.Helper()
	s.asked(func(now time.Time) (invariants.Event, error) {
		err := s.people.Delete(s.t.Context(), s.object())
		if err != nil && (apierrors.IsNotFound(err) || strings.Contains(err.Error(), "no matches for kind")) {
			return nil, nil //nolint:nilnil // nothing happens then
		}
		return invariants.Deleting{At: invariants.At(now)}, err
	})
}

// delete deletes something, if it is there.
func (s *stage) delete(o client.Object) {
	s.t.Helper()
	err := s.people.Delete(s.t.Context(), o)
	if client.IgnoreNotFound(err) != nil && !strings.Contains(err.Error(), "no matches for kind") {
		s.t.Fatal(err)
	}
}

// deleteNamespace deletes the namespace and what is in it, as the namespace's own
// controller does; none runs here.
func (s *stage) deleteNamespace() {
	s.t.Helper()
	s.delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.key.Namespace}})
	s.deleteObject()
}

// object is the rollout by its name.
func (s *stage) object() *v1alpha1.CloudRunRollout {
	return &v1alpha1.CloudRunRollout{ObjectMeta: metav1.ObjectMeta{Namespace: s.key.Namespace, Name: s.key.Name}}
}

// escape takes the finalizer off by hand, which is the way out where no manager
// will ever do it.
func (s *stage) escape() {
	s.t.Helper()
	err := s.people.Patch(s.t.Context(), s.object(), client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))
	if client.IgnoreNotFound(err) != nil {
		s.t.Fatal(err)
	}
}

// left tells what is still there. The namespace is finalized when it is empty, as
// its controller does.
func (s *stage) left() string {
	s.t.Helper()
	ctx := s.t.Context()
	if err := s.people.Get(ctx, s.key, &v1alpha1.CloudRunRollout{}); !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
		return fmt.Sprint("the object: ", err)
	}
	s.notice()
	space := &corev1.Namespace{}
	if err := s.people.Get(ctx, client.ObjectKey{Name: s.key.Namespace}, space); !apierrors.IsNotFound(err) {
		space.Spec.Finalizers = nil
		_, err = kubernetes.NewForConfigOrDie(s.plane.Config).CoreV1().Namespaces().Finalize(ctx, space, metav1.UpdateOptions{})
		return fmt.Sprint("the namespace: ", err)
	}
	if err := s.people.Get(ctx, client.ObjectKeyFromObject(definition()), definition()); !apierrors.IsNotFound(err) {
		return fmt.Sprint("the definition: ", err)
	}
	return ""
}

// definition is the resource definition of rollouts, by its name.
func definition() *unstructured.Unstructured {
	d := &unstructured.Unstructured{}
	d.SetAPIVersion("apiextensions.k8s.io/v1")
	d.SetKind("CustomResourceDefinition")
	d.SetName("cloudrunrollouts." + v1alpha1.GroupVersion.Group)
	return d
}

// defineAgain installs it for the next order.
func (s *stage) defineAgain() {
	s.t.Helper()
	s.kubectl("apply", "--filename", "../../config/crd/bases")
	s.kubectl("wait", "--for=condition=Established", "crd", definition().GetName(), "--timeout=1m")
}
