package monitoring

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc/metadata"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// Not parallel: the credentials are the process's.
func TestTheRealAddressNeedsCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	if _, err := New(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "building the Cloud Monitoring client") {
		t.Errorf("error %v", err)
	}

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "sluice@shop.iam.gserviceaccount.com",
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
	for _, address := range []string{"", "https://monitoring.googleapis.com"} {
		client, err := New(t.Context(), Options{Endpoint: address, UserAgent: "test"})
		if err != nil {
			t.Fatalf("%q: %v", address, err)
		}
		if err := client.Close(); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestNoCredentialsForThisMachine(t *testing.T) {
	t.Parallel()
	var seen metadata.MD
	s := &server{list: func(ctx context.Context, _ *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
		seen, _ = metadata.FromIncomingContext(ctx)
		return &monitoringpb.ListTimeSeriesResponse{}, nil
	}}
	one(t, start(t, s), ask(analysis.Requests, revision))
	if len(seen.Get("authorization")) > 0 {
		t.Error("credentials sent to this machine")
	}
	if agent := strings.Join(seen.Get("user-agent"), " "); !strings.Contains(agent, "test") {
		t.Errorf("user agent %q", agent)
	}
}
