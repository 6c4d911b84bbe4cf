package config

import (
	"context"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// manager is what the pod connects with.
func manager() *rest.Config {
	config := rest.CopyConfig(plane.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: userOf(account), Groups: groups}
	config.QPS = -1
	return config
}

func rolloutsOf(t *testing.T, config *rest.Config) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client.Resource(v1alpha1.GroupVersion.WithResource("cloudrunrollouts")).Namespace("default")
}

// sample makes a rollout, as its owner.
func sample(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	created, err := rolloutsOf(t, plane.Config).Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "CloudRunRollout",
		"metadata": map[string]any{"generateName": "web-"},
		"spec": map[string]any{"target": map[string]any{"service": map[string]any{
			"project": "acme-prod", "location": "us-central1", "name": "web",
		}}},
	}}, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func TestTheManagerCanFollowRolloutsAndSayWhereTheyStand(t *testing.T) {
	made, mine := sample(t), rolloutsOf(t, manager())
	got, err := mine.Get(t.Context(), made.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(got.Object, "Idle", "status", "phase"); err != nil {
		t.Fatal(err)
	}
	if _, err := mine.UpdateStatus(t.Context(), got, metav1.UpdateOptions{}); err != nil {
		t.Error(err)
	}
	if list, err := mine.List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) == 0 {
		t.Errorf("listed %v (%v)", list, err)
	}
	watch, err := mine.Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	watch.Stop()
}

func TestTheManagerCannotChangeWhatPeopleAskFor(t *testing.T) {
	made, mine := sample(t), rolloutsOf(t, manager())
	if err := unstructured.SetNestedField(made.Object, true, "spec", "paused"); err != nil {
		t.Fatal(err)
	}
	_, err := mine.Update(t.Context(), made, metav1.UpdateOptions{})
	forbidden(t, "writing a spec", err)
	forbidden(t, "deleting a rollout", mine.Delete(t.Context(), made.GetName(), metav1.DeleteOptions{}))
	made.SetResourceVersion("")
	made.SetName("another")
	_, err = mine.Create(t.Context(), made, metav1.CreateOptions{})
	forbidden(t, "making a rollout", err)
}

func TestTheManagerCanHoldItsLeaseAndNoOther(t *testing.T) {
	client := clientOf(t, manager())
	leases := client.CoordinationV1().Leases(home)
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "sluice.rollouts.sluice.dev"}}
	lease, err := leases.Create(t.Context(), lease, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dropLease(t) })
	if lease, err = leases.Get(t.Context(), lease.Name, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if _, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{}); err != nil {
		t.Error(err)
	}
	_, err = leases.Get(t.Context(), "another", metav1.GetOptions{})
	forbidden(t, "reading another lease", err)
	_, err = client.CoordinationV1().Leases("kube-node-lease").Create(t.Context(), lease, metav1.CreateOptions{})
	forbidden(t, "a lease in another namespace", err)
	forbidden(t, "giving a lease away", leases.Delete(t.Context(), lease.Name, metav1.DeleteOptions{}))
}

func TestTheManagerCanTellEventsWhereRolloutsAre(t *testing.T) {
	client := clientOf(t, manager())
	_, err := client.EventsV1().Events("default").Create(t.Context(), &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "web-"}, EventTime: metav1.NowMicro(),
		ReportingController: "sluice", ReportingInstance: "sluice-1", Action: "Rollout", Reason: "Pinned", Type: corev1.EventTypeNormal,
		Regarding: corev1.ObjectReference{Kind: "CloudRunRollout", Namespace: "default", Name: "web"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Error(err)
	}
	_, err = client.EventsV1().Events("default").List(t.Context(), metav1.ListOptions{})
	forbidden(t, "reading events", err)
}

func TestTheManagerCannotReachSecretsOrOtherAccounts(t *testing.T) {
	core := clientOf(t, manager()).CoreV1()
	for _, namespace := range []string{home, "default"} {
		_, err := core.Secrets(namespace).List(t.Context(), metav1.ListOptions{})
		forbidden(t, "listing secrets in "+namespace, err)
		_, err = core.ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})
		forbidden(t, "listing config maps in "+namespace, err)
		_, err = core.Pods(namespace).List(t.Context(), metav1.ListOptions{})
		forbidden(t, "listing pods in "+namespace, err)
	}
	_, err := core.ServiceAccounts(home).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	forbidden(t, "making itself a token", err)
}

// dropLease leaves the lease to the next test.
func dropLease(t *testing.T) {
	t.Helper()
	leases := admin(t).CoordinationV1().Leases(home)
	if err := leases.Delete(context.WithoutCancel(t.Context()), "sluice.rollouts.sluice.dev", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

func forbidden(t *testing.T, what string, err error) {
	t.Helper()
	if !apierrors.IsForbidden(err) {
		t.Errorf("%s: %v", what, err)
	}
}
