package kcc

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func TestTheServiceOfARunService(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		says         string
		spec, status object
		want         rollout.ServiceRef
	}{
		{
			says: "has its name and its project's id",
			spec: object{"location": "asia-northeast1", "projectRef": object{"external": "acme-prod"}},
			want: rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"},
		}, {
			says: "has the name in resourceID where there is one, and the project without its prefix",
			spec: object{"location": "asia-northeast1", "resourceID": "graphql", "projectRef": object{"external": "projects/acme-prod"}},
			want: rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "graphql"},
		}, {
			says:   "has the project of its revisions where spec names another object",
			spec:   object{"location": "asia-northeast1", "projectRef": object{"name": "prod"}},
			status: object{"latestCreatedRevision": "projects/acme-prod/locations/asia-northeast1/services/web/revisions/web-1"},
			want:   rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"},
		}, {
			says: "is not known without a project",
			spec: object{"location": "asia-northeast1", "projectRef": object{"name": "prod"}},
		}, {
			says:   "is not known by a project's number, which access is not granted by",
			spec:   object{"location": "asia-northeast1", "projectRef": object{"name": "prod"}},
			status: object{"latestCreatedRevision": "projects/123456/locations/asia-northeast1/services/web/revisions/web-1"},
		},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			o := &unstructured.Unstructured{Object: object{
				"metadata": object{"namespace": "shop", "name": "web"}, "spec": row.spec, "status": row.status,
			}}
			got, why := serviceRef(o)
			if got != row.want || (why != "") != (row.want == rollout.ServiceRef{}) {
				t.Errorf("service %+v, want %+v; %q", got, row.want, why)
			}
		})
	}
}

func TestOwnersOfTheTrafficList(t *testing.T) {
	t.Parallel()
	at := metav1.NewTime(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	entry := func(manager string, op metav1.ManagedFieldsOperationType, subresource, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{
			Manager: manager, Operation: op, Subresource: subresource, Time: &at, FieldsV1: metav1.NewFieldsV1(fields),
		}
	}
	const list = `{"f:spec":{"f:traffic":{}}}`
	owners := ownersOf([]metav1.ManagedFieldsEntry{
		entry(Manager, metav1.ManagedFieldsOperationApply, "", list),
		entry("argocd-controller", metav1.ManagedFieldsOperationApply, "", `{"f:spec":{"f:template":{}}}`),
		entry(connector, metav1.ManagedFieldsOperationUpdate, "", list),
		entry(connector, metav1.ManagedFieldsOperationUpdate, "status", list),
		entry("kubectl-edit", metav1.ManagedFieldsOperationUpdate, "", list),
		entry("broken", metav1.ManagedFieldsOperationUpdate, "", `{`),
		{Manager: "empty"},
	})
	want := []Owner{{Manager, true, at.Time}, {connector, false, at.Time}, {"kubectl-edit", false, at.Time}}
	if diff := cmp.Diff(want, owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"kubectl-edit"}, strangers(owners)); diff != "" {
		t.Errorf("strangers (-want +got):\n%s", diff)
	}
}

func TestAnUpdateUnderOurNameIsNotOurs(t *testing.T) {
	t.Parallel()
	owners := []Owner{{Manager: Manager}}
	if _, applied := ours(owners); applied || len(strangers(owners)) != 1 {
		t.Errorf("strangers %v: only our applies own as we do", strangers(owners))
	}
}

// TestTheConditionReadyIsReadWithItsTime, which is not that of its reason.
func TestTheConditionReadyIsReadWithItsTime(t *testing.T) {
	t.Parallel()
	o := &unstructured.Unstructured{Object: object{"status": object{"conditions": []any{object{
		"type": "Ready", "status": "False", "reason": "UpdateFailed", "message": "quota", "lastTransitionTime": "2026-03-01T09:00:00Z",
	}}}}}
	want := Condition{Reason: "UpdateFailed", Message: "quota", Since: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	if diff := cmp.Diff(want, readyOf(o)); diff != "" {
		t.Errorf("ready (-want +got):\n%s", diff)
	}
}
