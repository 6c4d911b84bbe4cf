// Package source is where the commands get rollouts from: a cluster, or a file
// that somebody saved.
package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Source gives rollouts.
type Source interface {
	// List gives the rollouts of a namespace, of all for "".
	List(ctx context.Context, namespace string) ([]v1alpha1.CloudRunRollout, error)
	// Get gives one rollout.
	Get(ctx context.Context, name Name) (*v1alpha1.CloudRunRollout, error)
	// Follow gives one rollout, and again each time that it has changed. It ends
	// after an error, with the context, or with the file.
	Follow(ctx context.Context, name Name) iter.Seq2[*v1alpha1.CloudRunRollout, error]
}

// Name names a rollout.
type Name struct{ Namespace, Name string }

// String writes the name the way ParseName reads it.
func (n Name) String() string {
	if n.Namespace == "" {
		return n.Name
	}
	return n.Namespace + "/" + n.Name
}

// kinds are the words that kubectl knows the resource by.
var kinds = []string{"crr", "cloudrunrollout", "cloudrunrollouts"}

// ParseName reads what a person calls a rollout: NAME, NAMESPACE/NAME as a list
// shows it, or TYPE/NAME as kubectl get -o name does. Of a name alone the namespace
// is the one given.
func ParseName(text, namespace string) (Name, error) {
	before, name, both := strings.Cut(text, "/")
	kind, _, _ := strings.Cut(before, ".")
	switch {
	case !both:
		name = text
	case !slices.Contains(kinds, kind):
		namespace = before
	}
	if name == "" || both && before == "" || strings.Contains(name, "/") {
		return Name{}, fmt.Errorf("%q is no name: write NAME or NAMESPACE/NAME", text)
	}
	return Name{namespace, name}, nil
}

// ErrNotFound says that there is no such rollout.
var ErrNotFound = errors.New("not found")
