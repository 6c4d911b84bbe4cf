package modelplane

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

const (
	rollouts = "cloudrunrollouts"
	kind     = "CloudRunRollout"
)

var (
	resource = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: rollouts}
	// errNotModelled marks what a simulation may not rely on.
	errNotModelled     = errors.New("modelplane: not modelled")
	errVersionAtCreate = apierrors.NewBadRequest("resourceVersion should not be set on objects to be created")
	errNoName          = invalid("", field.Required(field.NewPath("metadata", "name"), "name or generateName is required"))
)

func notModelled(what string, args ...any) error {
	return fmt.Errorf("%w: %s", errNotModelled, fmt.Sprintf(what, args...))
}

func errNotFound(name string) error { return apierrors.NewNotFound(resource, name) }

func errExists(name string) error { return apierrors.NewAlreadyExists(resource, name) }

func errConflict(name string) error {
	return apierrors.NewConflict(resource, name, errors.New(
		"the object has been modified; please apply your changes to the latest version and try again"))
}

func errPrecondition(name, what, wanted, found string) error {
	text := fmt.Sprintf("Precondition failed: %s in precondition: %s, %s in object meta: %s", what, wanted, what, found)
	return apierrors.NewConflict(resource, name, errors.New(text))
}

func errNoVersion(name string) error {
	return invalid(name, field.Invalid(metadata("resourceVersion"), 0, "must be specified for an update"))
}

func errBadVersion(name, version string) error {
	return invalid(name, field.Invalid(metadata("resourceVersion"), version, "must be a number"))
}

func errImmutable(name, what string) error {
	return invalid(name, field.Invalid(metadata(what), nil, "field is immutable"))
}

func errNewFinalizer(name, finalizer string) error {
	return invalid(name, field.Forbidden(metadata("finalizers"), fmt.Sprintf(
		"no new finalizers can be added if the object is being deleted, found new finalizers %#v", []string{finalizer})))
}

func metadata(what string) *field.Path { return field.NewPath("metadata", what) }

func invalid(name string, why *field.Error) error {
	return apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind(kind).GroupKind(), name, field.ErrorList{why})
}
