package kcc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
)

// refused is an apply that others' ownership refused, in the API server's words.
func refused(managers ...string) error {
	var causes []metav1.StatusCause
	for _, m := range managers {
		causes = append(causes, metav1.StatusCause{
			Type: metav1.CauseTypeFieldManagerConflict, Message: fmt.Sprintf("conflict with %q using run.cnrm.cloud.google.com/v1beta1", m), Field: ".spec.traffic",
		})
	}
	return apierrors.NewApplyConflict(causes, "Apply failed")
}

func TestWhoAnApplyIsInConflictWith(t *testing.T) {
	t.Parallel()
	resource := runServices.GroupResource()
	for _, row := range []struct {
		says    string
		err     error
		want    []string
		nobodys bool
	}{
		{says: "nobody without an error"},
		{says: "Config Connector alone is nobody's intent", err: refused(connector), want: []string{connector}, nobodys: true},
		{says: "Config Sync", err: refused("configsync.gke.io"), want: []string{"configsync.gke.io"}},
		{says: "Config Connector and another", err: refused(connector, "argocd-controller"), want: []string{connector, "argocd-controller"}},
		{says: "a manager is named once", err: refused("a", "a"), want: []string{"a"}},
		{says: "a name with a quote in it", err: refused(`a"b`), want: []string{`a"b`}},
		{says: "nobody where the version is another one", err: apierrors.NewConflict(resource, "web", errors.New("changed"))},
		{says: "nobody where something else is wrong", err: errors.New("reset")},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			got := conflicting(row.err)
			if diff := cmp.Diff(row.want, got); diff != "" || nobodys(got) != row.nobodys {
				t.Errorf("nobody's %v, want %v; managers (-want +got):\n%s", nobodys(got), row.nobodys, diff)
			}
		})
	}
}

func TestFailuresHaveTheKindsThatControllersKnow(t *testing.T) {
	t.Parallel()
	resource := runServices.GroupResource()
	busy := apierrors.NewTooManyRequests("busy", 7)
	refusedConnection := &url.Error{Op: "Patch", URL: "https://10.0.0.1", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}
	for _, row := range []struct {
		says        string
		err         error
		read, write error
		after       time.Duration
	}{
		{says: "forbidden", err: apierrors.NewForbidden(resource, "web", errors.New("no")), read: cloudrun.ErrDenied, write: cloudrun.ErrDenied},
		{says: "not authenticated", err: apierrors.NewUnauthorized("who"), read: cloudrun.ErrDenied, write: cloudrun.ErrDenied},
		{says: "not found", err: apierrors.NewNotFound(resource, "web"), read: cloudrun.ErrNotFound, write: cloudrun.ErrNotFound},
		{says: "another version", err: apierrors.NewConflict(resource, "web", errors.New("changed")), read: cloudrun.ErrConflict, write: cloudrun.ErrConflict},
		{says: "too many requests", err: busy, read: cloudrun.ErrThrottled, write: cloudrun.ErrThrottled, after: 7 * time.Second},
		{says: "an object that is not valid", err: apierrors.NewBadRequest("no"), read: cloudrun.ErrInvalid, write: cloudrun.ErrInvalid},
		{says: "a server that failed may have written", err: apierrors.NewInternalError(errors.New("etcd")), read: cloudrun.ErrUnavailable, write: cloudrun.ErrAmbiguous},
		{says: "an answer that did not come may be a write", err: context.DeadlineExceeded, read: cloudrun.ErrUnavailable, write: cloudrun.ErrAmbiguous},
		{says: "a connection that was refused carried nothing", err: refusedConnection, read: cloudrun.ErrUnavailable, write: cloudrun.ErrUnavailable},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			read, write := readError("op", row.err), writeError("op", row.err)
			if !errors.Is(read, row.read) || !errors.Is(write, row.write) || read.RetryAfter != row.after {
				t.Errorf("read: %v (after %s), want %v; write: %v, want %v", read, read.RetryAfter, row.read, write, row.write)
			}
		})
	}
}

func TestAnAnswerThatIsNoReadIsAFact(t *testing.T) {
	t.Parallel()
	resource := runServices.GroupResource()
	for says, row := range map[string]struct {
		err  error
		want string
	}{
		"missing": {apierrors.NewNotFound(resource, "web"), "Missing"},
		"denied":  {apierrors.NewForbidden(resource, "web", errors.New("no")), "Denied"},
		"neither": {apierrors.NewInternalError(errors.New("etcd")), ""},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			s, err := absent(readError("op", row.err))
			if string(s.Presence) != row.want || (err == nil) != (row.want != "") || (s.Detail == "") != (row.want == "") {
				t.Errorf("presence %q, detail %q, error %v; want %q", s.Presence, s.Detail, err, row.want)
			}
		})
	}
}

func TestAnOwnedListIsADenialThatNamesTheOwner(t *testing.T) {
	t.Parallel()
	err := owned("setting traffic", RunService{Namespace: "shop", Name: "web"}, []string{"argocd-controller"})
	if !errors.Is(err, cloudrun.ErrDenied) || !errors.Is(err, ErrOwned) || err.Status != http.StatusConflict {
		t.Errorf("error %v, status %d", err, err.Status)
	}
	if text := err.Error(); !strings.Contains(text, `"argocd-controller"`) || !strings.Contains(text, "in Git") {
		t.Errorf("error %q does not name the owner and the cure", text)
	}
}
