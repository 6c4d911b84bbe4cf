package objectplane

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The rules are those of k8s.io/apiserver/pkg/registry and of its patch handler, with
// the strategies that apiextensions-apiserver has for custom resources.

// errNoResource is what a server says of a resource that it has no definition of.
var errNoResource = &apierrors.StatusError{ErrStatus: metav1.Status{
	Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound,
	Message: "the server could not find the requested resource",
}}

func (k *kind) notFound(name string) error { return apierrors.NewNotFound(k.GroupResource(), name) }

func (k *kind) conflict(name, why string) error {
	return apierrors.NewConflict(k.GroupResource(), name, errors.New(why))
}

// create stores a new object, without the status it came with.
func (s *Server) create(of *kind, key types.NamespacedName, sent *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	if of.objects[key] != nil {
		return nil, apierrors.NewAlreadyExists(of.GroupResource(), key.Name)
	}
	now, err := received(sent, key)
	if err != nil {
		return nil, err
	}
	delete(now.Object, "status")
	empty, err := schemaless{}.New(of.GroupVersion().WithKind(of.kind))
	if err != nil {
		return nil, err
	}
	made, err := of.main.Update(empty, now, manager)
	if err != nil {
		return nil, err
	}
	return s.born(of, managed(made))
}

// born gives an object what it has from its creation on.
func (s *Server) born(of *kind, now *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	s.created++
	now.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-9000-%012x", s.created)))
	now.SetGeneration(1)
	now.SetCreationTimestamp(metav1.NewTime(s.clock.Now().UTC()))
	s.stamp(&unstructured.Unstructured{Object: map[string]any{}}, now)
	return s.stored(of, now)
}

// stored commits an object as JSON has it.
func (s *Server) stored(of *kind, now *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	now, err := received(now, keyOf(now))
	if err != nil {
		return nil, err
	}
	s.commit(of, now)
	return now, nil
}

// update stores what was sent, except for the status.
func (s *Server) update(of *kind, key types.NamespacedName, sent *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	was, now, err := of.meet(key, sent)
	if err != nil {
		return nil, err
	}
	keep(was, now, "status")
	return s.replace(of, was, now, of.main, manager)
}

// updateStatus stores the status that was sent, and nothing else of it.
func (s *Server) updateStatus(of *kind, key types.NamespacedName, sent *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	was, now, err := of.meet(key, sent)
	if err != nil {
		return nil, err
	}
	next := was.DeepCopy()
	keep(now, next, "status")
	return s.replace(of, was, next, of.status, manager)
}

// meet is an object as it is and as it was sent, if that was sent on this version.
func (k *kind) meet(key types.NamespacedName, sent *unstructured.Unstructured) (was, now *unstructured.Unstructured, err error) {
	if was = k.objects[key]; was == nil {
		return nil, nil, k.notFound(key.Name)
	}
	if now, err = received(sent, key); err != nil {
		return nil, nil, err
	}
	return was, now, k.checkVersion(was, now)
}

// apply merges what was sent into an object, or makes it.
func (s *Server) apply(of *kind, key types.NamespacedName, sent *unstructured.Unstructured, options metav1.ApplyOptions) (*unstructured.Unstructured, error) {
	wanted, err := received(sent, key)
	if err != nil {
		return nil, err
	}
	delete(wanted.Object, "status")
	was := of.objects[key]
	if was == nil {
		return s.applyNew(of, wanted, options)
	}
	if uid := wanted.GetUID(); uid != "" && uid != was.GetUID() {
		return nil, of.another(key.Name, uid)
	}
	merged, err := of.main.Apply(was.DeepCopy(), wanted.DeepCopy(), options.FieldManager, options.Force)
	if err != nil {
		return nil, err
	}
	if v := wanted.GetResourceVersion(); v != "" && v != was.GetResourceVersion() {
		return nil, of.modified(key.Name)
	}
	return s.put(of, was, managed(merged))
}

// applyNew makes an object. One that was to have a UID is gone.
func (s *Server) applyNew(of *kind, wanted *unstructured.Unstructured, options metav1.ApplyOptions) (*unstructured.Unstructured, error) {
	if uid := wanted.GetUID(); uid != "" {
		return nil, of.conflict(wanted.GetName(), fmt.Sprintf(
			"uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
	}
	empty, err := schemaless{}.New(of.GroupVersion().WithKind(of.kind))
	if err != nil {
		return nil, err
	}
	made, err := of.main.Apply(empty, wanted, options.FieldManager, options.Force)
	if err != nil {
		return nil, err
	}
	return s.born(of, managed(made))
}

// replace is an update that was merged by whoever sent it.
func (s *Server) replace(of *kind, was, now *unstructured.Unstructured, fields *managedfields.FieldManager, manager string) (*unstructured.Unstructured, error) {
	next, err := fields.Update(was.DeepCopy(), now, manager)
	if err != nil {
		return nil, err
	}
	return s.put(of, was, managed(next))
}

// put puts a new state of an object in the place of the old one. What changes nothing
// but the times of its managed fields is no change.
func (s *Server) put(of *kind, was, now *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	now.SetUID(was.GetUID())
	now.SetCreationTimestamp(was.GetCreationTimestamp())
	now.SetResourceVersion(was.GetResourceVersion())
	now.SetGeneration(was.GetGeneration())
	if !reflect.DeepEqual(without(was, "metadata", "status"), without(now, "metadata", "status")) {
		now.SetGeneration(was.GetGeneration() + 1)
	}
	if same(was, now) {
		return was, nil
	}
	s.stamp(was, now)
	return s.stored(of, now)
}

// same compares two states except for the times of managed fields.
func same(was, now *unstructured.Unstructured) bool {
	a, b := was.DeepCopy(), now.DeepCopy()
	timeless(a)
	timeless(b)
	return reflect.DeepEqual(a.Object, b.Object)
}

// timeless takes the times of the managed fields away.
func timeless(o *unstructured.Unstructured) {
	entries := o.GetManagedFields()
	for i := range entries {
		entries[i].Time = nil
	}
	o.SetManagedFields(entries)
}

func without(o *unstructured.Unstructured, keys ...string) map[string]any {
	rest := maps.Clone(o.Object)
	for _, key := range keys {
		delete(rest, key)
	}
	return rest
}

// keep takes a part of one state over into another one.
func keep(from, into *unstructured.Unstructured, part string) {
	if value, ok := from.Object[part]; ok {
		into.Object[part] = runtime.DeepCopyJSONValue(value)
	} else {
		delete(into.Object, part)
	}
}

func (k *kind) checkVersion(was, sent *unstructured.Unstructured) error {
	if v := sent.GetResourceVersion(); v == was.GetResourceVersion() && (sent.GetUID() == "" || sent.GetUID() == was.GetUID()) {
		return nil
	} else if v == "" {
		return notModelled("an update of %s without a version", was.GetName())
	}
	return k.modified(was.GetName())
}

// another is an apply that meant another object: both layers that check it say so.
func (k *kind) another(name string, uid types.UID) error {
	why := field.Invalid(field.NewPath("metadata", "uid"), uid, "field is immutable")
	return apierrors.NewInvalid(schema.GroupKind{Group: k.Group, Kind: k.kind}, name, field.ErrorList{why, why})
}

func (k *kind) modified(name string) error {
	return k.conflict(name, "the object has been modified; please apply your changes to the latest version and try again")
}

// received is an object as JSON has it, under the name of the request.
func received(o *unstructured.Unstructured, key types.NamespacedName) (*unstructured.Unstructured, error) {
	text, err := json.Marshal(o.Object)
	if err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	now := &unstructured.Unstructured{Object: fields}
	now.SetNamespace(key.Namespace)
	now.SetName(key.Name)
	return now, nil
}

// managed is what a field manager returns.
func managed(o runtime.Object) *unstructured.Unstructured {
	now, ok := o.(*unstructured.Unstructured)
	if !ok {
		panic(fmt.Sprintf("objectplane: a field manager returns a %T", o))
	}
	return now
}
