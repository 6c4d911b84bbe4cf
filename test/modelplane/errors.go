package modelplane

import (
	"errors"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

const (
	rollouts = "cloudrunrollouts"
	kind     = "CloudRunRollout"
)

var (
	resource = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: rollouts}
	// ErrNotModelled marks what a simulation may not rely on.
	ErrNotModelled     = errors.New("modelplane: not modelled")
	errVersionAtCreate = untranslated("resourceVersion should not be set on objects to be created")
	errNoName          = invalid("", field.Required(field.NewPath("metadata", "name"), "name or generateName is required"))
)

func notModelled(what string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotModelled, fmt.Sprintf(what, args...))
}

func errNotFound(name string) error { return apierrors.NewNotFound(resource, name) }

func errExists(name string) error { return apierrors.NewAlreadyExists(resource, name) }

func errConflict(name string) error {
	return apierrors.NewConflict(resource, name, errors.New(
		"the object has been modified; please apply your changes to the latest version and try again"))
}

// errAnother is an update of an object that was created again meanwhile.
func errAnother(o *v1alpha1.CloudRunRollout, uid types.UID) error {
	text := fmt.Sprintf("StorageError: invalid object, Code: 4, Key: /registry/%s/%s/%s/%s, ResourceVersion: 0, "+
		"AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: %s",
		resource.Group, resource.Resource, o.Namespace, o.Name, uid, o.UID)
	return apierrors.NewConflict(resource, o.Name, errors.New(text))
}

// errPrecondition is a deletion that meant another object or version.
func errPrecondition(name, what, wanted, found, why string) error {
	text := fmt.Sprintf("the %s in the precondition (%s) does not match the %s in record (%s). The object might have been %s",
		what, wanted, what, found, why)
	return apierrors.NewConflict(schema.GroupResource{Group: resource.Group, Resource: kind}, name, errors.New(text))
}

func errNoVersion(name string) error {
	why := field.Invalid(metadata("resourceVersion"), 0, "must be specified for an update")
	return apierrors.NewInvalid(schema.GroupKind{Group: resource.Group, Kind: rollouts}, name, field.ErrorList{why})
}

func errDeletionMarked(o *v1alpha1.CloudRunRollout) error {
	return invalid(o.Name, field.Invalid(metadata("deletionTimestamp"), o.DeletionTimestamp, "field is immutable"))
}

// untranslated is an error of a server's inner layers that nobody gives a reason.
func untranslated(text string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: text,
	}}
}

func errNewFinalizer(name, finalizer string) error {
	return invalid(name, field.Forbidden(metadata("finalizers"), fmt.Sprintf(
		"no new finalizers can be added if the object is being deleted, found new finalizers %#v", []string{finalizer})))
}

func metadata(what string) *field.Path { return field.NewPath("metadata", what) }

func invalid(name string, why ...*field.Error) error {
	return apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind(kind).GroupKind(), name, why)
}
