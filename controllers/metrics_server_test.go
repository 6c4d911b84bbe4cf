package controllers

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func TestMetricsAreInTheOpenOnThisMachineOnly(t *testing.T) {
	for address, open := range map[string]bool{
		"0": true, "127.0.0.1:8080": true, "[::1]:8080": true, "localhost:0": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8443": false, "10.1.2.3:8080": false,
		"": false, "localhost.example.com:80": false, "127.0.0.1": false,
	} {
		options := MetricsServer(address)
		if options.BindAddress != address {
			t.Errorf("%q became %q", address, options.BindAddress)
		}
		if safe := options.SecureServing && options.FilterProvider != nil; safe == open {
			t.Errorf("%q: TLS and access control are %v", address, safe)
		}
	}
}

func TestMetricsAreOffWhenNobodyAsksForThem(t *testing.T) {
	if server, err := metricsserver.NewServer(MetricsServer("0"), plane.Config, nil); server != nil || err != nil {
		t.Errorf("got %v, %v", server, err)
	}
}

func TestMetricsAreForThoseWhoMayGetThem(t *testing.T) {
	client, err := kubernetes.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	url := serveSecurely(t)
	reader, stranger := token(t, client, "metrics-reader"), token(t, client, "metrics-stranger")
	may := metav1.ObjectMeta{Name: "metrics-reader"}
	_, err = client.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: may, Rules: []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: may, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: may.Name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: may.Name}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, token string
		want        int
	}{
		{"nobody", "", http.StatusUnauthorized},
		{"a wrong token", "wrong", http.StatusInternalServerError}, // controller-runtime says no more
		{"an account without the right", stranger, http.StatusForbidden},
		{"an account with the right", reader, http.StatusOK},
	} {
		if got := get(t, url+"/metrics", test.token); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
	if got := get(t, url+"/debug/pprof/", reader); got != http.StatusNotFound {
		t.Errorf("profiles: %d", got)
	}
}

// serveSecurely serves metrics as at an address off this machine.
func serveSecurely(t *testing.T) (url string) {
	t.Helper()
	options := MetricsServer(":0")
	options.BindAddress = "127.0.0.1:0"
	transport, err := rest.HTTPClientFor(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	server, err := metricsserver.NewServer(options, plane.Config, transport)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	bound := server.(interface{ GetBindAddr() string })
	for range 100 {
		if bound.GetBindAddr() != "" {
			return "https://" + bound.GetBindAddr()
		}
		time.Sleep(20 * time.Millisecond) // it tells nobody when it listens
	}
	t.Fatal("the metrics server does not listen")
	return ""
}

// token makes an account and a token for it.
func token(t *testing.T, client kubernetes.Interface, name string) string {
	t.Helper()
	accounts := client.CoreV1().ServiceAccounts("default")
	if _, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	request, err := accounts.CreateToken(t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

func get(t *testing.T, url, bearer string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // it signs its own certificate
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if !strings.HasPrefix(answer.Proto, "HTTP/1.") {
		t.Errorf("served with %s", answer.Proto)
	}
	return answer.StatusCode
}
