package config

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-rollouts/sluice/internal/dashboard"
	"github.com/sluice-rollouts/sluice/internal/dashboard/access"
)

// TestThePageInTheClusterIsTheOnlyDifference: config/dashboard adds a flag, a port and
// a Service to config/default, and no right; as a component it adds the same to what
// Config Connector needs.
func TestThePageInTheClusterIsTheOnlyDifference(t *testing.T) {
	objects, err := render("../../config/dashboard")
	if err != nil {
		t.Fatal(err)
	}
	addsThePage(t, installed, objects)
	kept, err := render("../../config/config-connector")
	if err != nil {
		t.Fatal(err)
	}
	both, err := render(onTop(t, "config/config-connector", "config/dashboard/page"))
	if err != nil {
		t.Fatal(err)
	}
	addsThePage(t, kept, both)
}

// onTop writes a kustomization that has a component on top of a folder, as people do.
func onTop(t *testing.T, folder, component string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := func(of string) string {
		relative, err := filepath.Rel(dir, filepath.Join(root, of))
		if err != nil {
			t.Fatal(err)
		}
		return relative
	}
	text := fmt.Sprintf("resources: [%s]\ncomponents: [%s]\n", path(folder), path(component))
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// addsThePage holds that objects are others and the page.
func addsThePage(t *testing.T, others, objects []unstructured.Unstructured) {
	t.Helper()
	if len(objects) != len(others)+1 {
		t.Errorf("%d objects, and %d without the page", len(objects), len(others))
	}
	var container corev1.Container
	var service *corev1.Service
	for i := range objects {
		switch o := &objects[i]; {
		case o.GetKind() == "Deployment":
			container = convert[appsv1.Deployment](t, o).Spec.Template.Spec.Containers[0]
		case o.GetName() == "sluice-dashboard":
			service = convert[corev1.Service](t, o)
		}
	}
	if !slices.Contains(container.Args, "--dashboard-bind-address=:8444") || !slices.Contains(container.Ports, corev1.ContainerPort{Name: "dashboard", ContainerPort: 8444}) {
		t.Errorf("flags %v, ports %v", container.Args, container.Ports)
	}
	if service == nil || service.Namespace != home || service.Spec.Ports[0].TargetPort.StrVal != "dashboard" {
		t.Errorf("the service is %+v", service)
	}
}

// TestThePageShowsWhatOneMayListWithKubectl asks the cluster with the manager's rights
// who brings a token, and what that one may see.
func TestThePageShowsWhatOneMayListWithKubectl(t *testing.T) {
	ctx := t.Context()
	visible, err := access.New(manager())
	if err != nil {
		t.Fatal(err)
	}
	may := bearer(t, "page-reader")
	_, err = admin(t).RbacV1().RoleBindings("default").Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "page-reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "sluice-view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: "page-reader"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, look := range []struct {
		who, token, namespace string
		sees                  bool
	}{
		{"a reader of the namespace", may, "default", true},
		{"a reader of the namespace", may, "kube-system", false},
		{"an account without a role", bearer(t, "page-stranger"), "default", false},
	} {
		viewer, err := visible.Viewer(bringing(ctx, look.token))
		if err != nil {
			t.Fatalf("%s: %v", look.who, err)
		}
		if sees, err := viewer.Sees(ctx, look.namespace); err != nil || sees != look.sees {
			t.Errorf("%s sees %s: %v, %v", look.who, look.namespace, sees, err)
		}
	}
	for _, token := range []string{"", "wrong", strings.TrimSuffix(may, may[len(may)-4:]) + "AAAA"} {
		if _, err := visible.Viewer(bringing(ctx, token)); !errors.Is(err, dashboard.ErrUnknown) {
			t.Errorf("with the token %q: %v", token, err)
		}
	}
}

// bearer makes an account and a token for it.
func bearer(t *testing.T, name string) string {
	t.Helper()
	accounts := admin(t).CoreV1().ServiceAccounts("default")
	if _, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	request, err := accounts.CreateToken(t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

func bringing(ctx context.Context, token string) *http.Request {
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://sluice.example/", http.NoBody) // it is well formed
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}
