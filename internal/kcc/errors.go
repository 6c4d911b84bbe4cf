package kcc

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/google"
)

// ErrOwned stands beside cloudrun.ErrDenied where others own spec.traffic.
var ErrOwned = errors.New("spec.traffic is owned by somebody else")

// readError classifies the failure of a read of the Kubernetes API, in the kinds of
// internal/cloudrun.
func readError(op string, err error) *cloudrun.CallError {
	failure := &cloudrun.CallError{Op: op, Kind: cloudrun.ErrUnavailable, Detail: google.Clean(err.Error()), Cause: google.ContextError(err)}
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return failure
	}
	status := answer.Status()
	failure.Status, failure.Kind = int(status.Code), kindOf(err)
	if seconds, asked := apierrors.SuggestsClientDelay(err); asked && seconds > 0 {
		failure.RetryAfter = time.Duration(seconds) * time.Second
	}
	return failure
}

func kindOf(err error) error {
	switch {
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return cloudrun.ErrDenied
	case apierrors.IsNotFound(err):
		return cloudrun.ErrNotFound
	case apierrors.IsConflict(err):
		return cloudrun.ErrConflict
	case apierrors.IsTooManyRequests(err):
		return cloudrun.ErrThrottled
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return cloudrun.ErrInvalid
	}
	return cloudrun.ErrUnavailable
}

// writeError classifies the failure of a write. Only an answer that says so plainly,
// or a connection that was never made, proves that nothing was written.
func writeError(op string, err error) *cloudrun.CallError {
	failure := readError(op, err)
	if errors.Is(failure.Kind, cloudrun.ErrUnavailable) && !utilnet.IsConnectionRefused(err) {
		failure.Kind = cloudrun.ErrAmbiguous
	}
	return failure
}

// conflicting are the managers that a refused apply was refused for, in the API
// server's own words; none where it was refused for another reason.
func conflicting(err error) []string {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) || answer.Status().Details == nil {
		return nil
	}
	var managers []string
	for _, cause := range answer.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		if manager := quoted(cause.Message); !slices.Contains(managers, manager) {
			managers = append(managers, manager)
		}
	}
	return managers
}

// quoted is the first quoted word of a text; the whole text where there is none.
func quoted(text string) string {
	if i := strings.IndexByte(text, '"'); i >= 0 {
		if prefix, err := strconv.QuotedPrefix(text[i:]); err == nil {
			if word, err := strconv.Unquote(prefix); err == nil {
				return word
			}
		}
	}
	return text
}

// nobodys tells whether a conflict is with Config Connector alone.
func nobodys(managers []string) bool {
	return len(managers) > 0 && !slices.ContainsFunc(managers, func(m string) bool { return m != connector })
}

// owned is the failure of a write to traffic that belongs to somebody else. It is
// not made against their will.
func owned(op string, r RunService, managers []string) *cloudrun.CallError {
	return &cloudrun.CallError{
		Op: op, Kind: cloudrun.ErrDenied, Status: http.StatusConflict, Cause: ErrOwned,
		Detail: ownedText(r, managers),
	}
}

// ownedText says whose spec.traffic is, and what they have to do.
func ownedText(r RunService, managers []string) string {
	names := make([]string, 0, len(managers))
	cure := fmt.Sprintf("remove spec.traffic of %s from what it applies, in Git for instance", r)
	for _, manager := range managers {
		names = append(names, strconv.Quote(google.Clean(manager)))
		if known, ok := cures[manager]; ok {
			cure = known
		}
	}
	return fmt.Sprintf("spec.traffic of %s is owned by %s: %s", r, strings.Join(names, " and "), cure)
}

// cures are what those who apply from Git have to do (Config Sync:
// pkg/applier/applier.go; Argo CD: docs, user-guide/diffing and sync-options).
var cures = map[string]string{
	"configsync.gke.io": "remove spec.traffic from the RunService in Git; Config Sync would write it over ours within seconds",
	"argocd-controller": "remove spec.traffic from the RunService in Git, and from ignoreDifferences: " +
		"with RespectIgnoreDifferences=true Argo CD applies what is live under its own name",
	"kubectl-edit":         "somebody edited it: remove spec.traffic with kubectl edit",
	"kustomize-controller": "remove spec.traffic from the RunService in Git; Flux would write it over ours",
}
