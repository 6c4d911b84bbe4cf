package dashboard

import (
	"context"
	"errors"
	"net/http"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// ErrUnknown is given for a request of somebody who is not known.
var ErrUnknown = errors.New("nobody is known by what the request carries")

// Access says who may see what.
type Access interface {
	// Viewer is who makes a request, or ErrUnknown.
	Viewer(r *http.Request) (Viewer, error)
}

// Viewer is somebody who looks at the page.
type Viewer interface {
	// Sees tells whether rollouts of a namespace may be shown, or of AllNamespaces.
	Sees(ctx context.Context, namespace string) (bool, error)
}

// AllNamespaces stands for every namespace that there is or will be.
const AllNamespaces = ""

// everybody sees everything.
type everybody struct{}

func (everybody) Viewer(*http.Request) (Viewer, error)       { return everybody{}, nil }
func (everybody) Sees(context.Context, string) (bool, error) { return true, nil }

func (s *Server) access() Access {
	if s.Access == nil {
		return everybody{}
	}
	return s.Access
}

// visible are the rollouts that whoever makes the request may see.
func (s *Server) visible(r *http.Request) ([]v1alpha1.CloudRunRollout, error) {
	viewer, err := s.access().Viewer(r)
	if err != nil {
		return nil, err
	}
	all, err := s.Source.Rollouts(r.Context())
	if err != nil {
		return nil, err
	}
	if sees, err := viewer.Sees(r.Context(), AllNamespaces); err != nil || sees {
		return all, err
	}
	may := map[string]bool{}
	var seen []v1alpha1.CloudRunRollout
	for i := range all {
		namespace := all[i].Namespace
		sees, asked := may[namespace]
		if !asked {
			if sees, err = viewer.Sees(r.Context(), namespace); err != nil {
				return nil, err
			}
			may[namespace] = sees
		}
		if sees {
			seen = append(seen, all[i])
		}
	}
	return seen, nil
}
