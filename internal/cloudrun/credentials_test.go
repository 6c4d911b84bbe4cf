package cloudrun

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// account writes a service account's key whose tokens come from a server of this
// test, and makes it the process's default credentials.
func account(t *testing.T, tokens http.HandlerFunc) {
	t.Helper()
	server := httptest.NewServer(tokens)
	t.Cleanup(server.Close)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "sluice@shop.iam.gserviceaccount.com", "token_uri": server.URL,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
}

// Not parallel: the credentials are the process's.
func TestCredentialsGoToHTTPSOnly(t *testing.T) {
	account(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`))
	})
	for address, want := range map[string]string{"https://run.test/": "Bearer token-1", "http://127.0.0.1:8080": ""} {
		below := &memory{script: answering(http.StatusOK, accepted("8"))}
		client, err := New(t.Context(), Options{Endpoint: address, Transport: below})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.swap(t.Context(), web, step); err != nil {
			t.Fatal(err)
		}
		if got := below.headers[0].Get("Authorization"); got != want {
			t.Errorf("%s: authorization %q, want %q", address, got, want)
		}
		if below.bodies[0] != patchBody || client.Refused() != 0 {
			t.Errorf("%s: sent %q, refused %d", address, below.bodies[0], client.Refused())
		}
	}
}

func TestAWriteWithoutATokenWasNotSent(t *testing.T) {
	account(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
	})
	below := &memory{script: answering(http.StatusOK, accepted("8"))}
	client, err := New(t.Context(), Options{Endpoint: "https://run.test/", Transport: below})
	if err != nil {
		t.Fatal(err)
	}
	err = client.swap(t.Context(), web, step)
	if !errors.Is(err, ErrUnavailable) || len(below.requests) > 0 {
		t.Errorf("error %v after %q", err, below.requests)
	}
	if err != nil && !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("text %q does not say why", err)
	}
}

func TestWithoutCredentialsThereIsNoClient(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	if _, err := New(t.Context(), Options{Endpoint: "https://run.test/"}); err == nil || !strings.Contains(err.Error(), "finding credentials") {
		t.Errorf("error %v", err)
	}
}
