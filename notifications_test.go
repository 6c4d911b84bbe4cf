package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/manager"
)

// mounted is a directory as config/notifications mounts it, with a file that sends all
// news of a namespace to an address, and where that file is.
func mounted(t *testing.T, namespace, url, key string) string {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{
		"notifications.yaml": "sinks:\n- name: pager\n  level: All\n  namespaces: [" + namespace + "]\n  urlFile: " + at("pager-url") + "\n  keyFile: " + at("pager-key") + "\n",
		"pager-url":          url + "\n", "pager-key": key + "\n",
	} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return at("notifications.yaml")
}

// heard is a request that a sink was sent.
type heard struct {
	header http.Header
	body   []byte
}

// sink is somebody who is told news, and trusted by whoever reads a file.
func sink(t *testing.T) (url, trusted string, news chan heard) {
	t.Helper()
	news = make(chan heard, 16)
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		news <- heard{r.Header, body}
	}))
	t.Cleanup(server.Close)
	trusted = filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, trusted, news
}

// TestTheManagerTellsNewsThatAreSigned starts it with the files that config/notifications
// mounts, and lets a rollout change its state. No other manager looks meanwhile: who saves a
// change tells it.
func TestTheManagerTellsNewsThatAreSigned(t *testing.T) {
	const namespace = "news"
	url, trusted, news := sink(t)
	endpoints, control := world(t, 60)
	cmd, out := program(t, append(endpoints, "--simulated-clock="+control, "--health-probe-bind-address=0", "--dashboard-bind-address=0",
		"--leader-elect=false", "--notifications="+mounted(t, namespace, url, "0123456789abcdef0123456789abcdef"))...)
	cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+trusted)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	home, ro := &corev1.Namespace{}, &v1alpha1.CloudRunRollout{}
	home.Name, ro.Name, ro.Namespace = namespace, "web", namespace
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}
	if err := errors.Join(c.Create(t.Context(), home), c.Create(t.Context(), manager.Access(namespace, "acme-prod")), c.Create(t.Context(), ro)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Delete(context.WithoutCancel(t.Context()), ro); err != nil {
			t.Error(err)
		}
	})
	select {
	case told := <-news:
		signed(t, told, "0123456789abcdef0123456789abcdef")
	case <-time.After(time.Minute):
		t.Fatalf("no news came:\n%s", out)
	}
}

// signed tells whether what a sink heard is an event about the rollout, and whose.
func signed(t *testing.T, told heard, key string) {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(told.header.Get("Sluice-Timestamp") + "."))
	mac.Write(told.body)
	if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); told.header.Get("Sluice-Signature") != want {
		t.Errorf("it is signed with %q, want %q", told.header.Get("Sluice-Signature"), want)
	}
	var event struct{ SpecVersion, Type, Subject, ID string }
	if err := json.Unmarshal(told.body, &event); err != nil {
		t.Fatal(err)
	}
	if event.SpecVersion != "1.0" || !strings.HasPrefix(event.Type, "dev.sluice.rollouts.") || event.Subject != "news/web" || event.ID == "" {
		t.Errorf("the event is %s", told.body)
	}
}

// TestAFileThatIsWrongEndsTheManager with what to write in its place.
func TestAFileThatIsWrongEndsTheManager(t *testing.T) {
	t.Parallel()
	endpoints, control := world(t, 60)
	empty := filepath.Join(t.TempDir(), "empty.yaml")
	if err := os.WriteFile(empty, []byte("sink: pager\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, file := range map[string]string{
		"--notifications: open /nowhere: no such file or directory":                        "/nowhere",
		"empty.yaml: write sinks: [{name, format, level, namespaces, urlFile, keyFile}]: ": empty,
		`notifications.yaml: sinks[0] "pager": `:                                           mounted(t, "shop", "http://pager.example", "0123456789abcdef0123456789abcdef"),
	} {
		cmd, out := program(t, append(endpoints, "--simulated-clock="+control, "--health-probe-bind-address=0", "--dashboard-bind-address=0", "--notifications="+file)...)
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || !strings.Contains(out.String(), want) || strings.Contains(out.String(), "pager.example") {
			t.Errorf("%v, want %q:\n%s", err, want, out)
		}
	}
}
