package oncall

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Door is the stage's kube-apiserver as kubectl sluice reaches it, with what that asks
// for when a person wants something. It knows every caller as one person.
//
// Time passes only while somebody watches: a watch lets the manager look until the
// rollout changes, tells that change and ends. So a play is the same each time.
type Door struct {
	stage  *Stage
	person string
	mux    *http.ServeMux

	mu sync.Mutex // a stage is for one at a time
}

// Door opens a door for a person of that name.
func (s *Stage) Door(person string) *Door {
	d := &Door{stage: s, person: person, mux: http.NewServeMux()}
	rollouts := "/apis/" + v1alpha1.GroupVersion.String() + "/namespaces/{namespace}/cloudrunrollouts"
	d.mux.HandleFunc("POST /apis/authentication.k8s.io/v1/selfsubjectreviews", d.whoAmI)
	d.mux.HandleFunc("GET "+rollouts+"/{name}", d.get)
	d.mux.HandleFunc("PATCH "+rollouts+"/{name}", d.patch)
	d.mux.HandleFunc("GET "+rollouts, d.watch)
	return d
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	d.mux.ServeHTTP(w, r)
}

func (d *Door) whoAmI(w http.ResponseWriter, _ *http.Request) {
	review := authenticationv1.SelfSubjectReview{}
	review.APIVersion, review.Kind = "authentication.k8s.io/v1", "SelfSubjectReview"
	review.Status.UserInfo.Username = d.person
	answer(w, review, nil)
}

func (d *Door) get(w http.ResponseWriter, r *http.Request) {
	ro, err := d.read(keyOf(r))
	answer(w, ro, err)
}

// patch takes a JSON patch of annotations, as a merge patch, which the control plane
// knows.
func (d *Door) patch(w http.ResponseWriter, r *http.Request) {
	var ops []struct {
		Op, Path string
		Value    any
	}
	if err := json.NewDecoder(r.Body).Decode(&ops); err != nil {
		answer(w, nil, apierrors.NewBadRequest(err.Error()))
		return
	}
	metadata, annotations := map[string]any{}, map[string]any{}
	for _, op := range ops {
		key, one := strings.CutPrefix(op.Path, "/metadata/annotations/")
		all, _ := op.Value.(map[string]any)
		switch {
		case op.Op == "test" && op.Path == "/metadata/resourceVersion":
			metadata["resourceVersion"] = op.Value
		case op.Op == "add" && op.Path == "/metadata/annotations":
			annotations = all
		case one: // a removal has no value
			annotations[strings.ReplaceAll(key, "~1", "/")] = op.Value
		default:
			answer(w, nil, apierrors.NewBadRequest(fmt.Sprintf("%s %s is not known here", op.Op, op.Path)))
			return
		}
	}
	metadata["annotations"] = annotations
	merge, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		answer(w, nil, err)
		return
	}
	ro, err := d.read(keyOf(r))
	if err == nil {
		err = d.stage.plane.As(d.person).Patch(r.Context(), ro, client.RawPatch(types.MergePatchType, merge))
	}
	answer(w, ro, err)
}

// watch lets time pass until the rollout is another than was seen, and tells that.
func (d *Door) watch(w http.ResponseWriter, r *http.Request) {
	name, _ := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	key, seen := client.ObjectKey{Namespace: r.PathValue("namespace"), Name: name}, r.URL.Query().Get("resourceVersion")
	var ro *v1alpha1.CloudRunRollout
	err := d.stage.until(d.stage.Now().Add(patience), func() bool {
		now, err := d.read(key)
		ro = now
		return err != nil || now.ResourceVersion != seen
	})
	if err != nil {
		answer(w, nil, err)
		return
	}
	answer(w, map[string]any{"type": watch.Modified, "object": ro}, nil)
}

func (d *Door) read(key client.ObjectKey) (*v1alpha1.CloudRunRollout, error) {
	ro, err := d.stage.Get(key)
	if err == nil {
		ro.APIVersion, ro.Kind = v1alpha1.GroupVersion.String(), "CloudRunRollout"
	}
	return ro, err
}

func keyOf(r *http.Request) client.ObjectKey {
	return client.ObjectKey{Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}
}

// answer writes an object, or an error the way the API server does.
func answer(w http.ResponseWriter, object any, err error) {
	if err != nil {
		var status apierrors.APIStatus
		if !errors.As(err, &status) {
			status = apierrors.NewInternalError(err)
		}
		failed := status.Status()
		failed.APIVersion, failed.Kind = "v1", "Status"
		w.WriteHeader(int(failed.Code))
		object = failed
	}
	_ = json.NewEncoder(w).Encode(object) //nolint:errchkjson // API objects can be encoded
}

// Clock is the stage's time for who stands at the door. Whatever waits there waits for
// nothing, since time passes in watches alone, but for a person's patience, which is real.
func (d *Door) Clock() clock.Clock { return doorClock{door: d} }

type doorClock struct {
	clock.RealClock
	door *Door
}

// Now implements clock.Clock.
func (c doorClock) Now() time.Time {
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	return c.door.stage.Now()
}

// Since implements clock.Clock.
func (c doorClock) Since(then time.Time) time.Duration { return c.Now().Sub(then) }

// After implements clock.Clock: it is later at once.
func (c doorClock) After(time.Duration) <-chan time.Time {
	later := make(chan time.Time, 1)
	later <- c.Now()
	return later
}
