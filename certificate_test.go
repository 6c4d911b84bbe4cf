package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/util/cert"
)

func TestACertificateThatTheManagerMakesIsForTLSAlone(t *testing.T) {
	t.Parallel()
	for _, address := range []string{":8444", "0.0.0.0:8444", "sluice.example:443"} {
		made, err := certified(address, "")
		if err != nil || len(made.config.Certificates) != 1 || made.config.MinVersion < tls.VersionTLS12 {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := certified("8444", ""); err == nil {
		t.Error("an address without a port has a certificate")
	}
}

func TestOnItsOwnMachineThePageIsServedInTheOpen(t *testing.T) {
	t.Parallel()
	if made, err := certified("127.0.0.1:8082", ""); err != nil || made.config != nil {
		t.Errorf("%+v %v", made, err)
	}
	if _, err := certified("127.0.0.1:8082", t.TempDir()); err == nil || !strings.Contains(err.Error(), "--dashboard-cert-dir: at 127.0.0.1:8082") {
		t.Errorf("with a certificate: %v", err)
	}
}

// issue writes a new certificate for a name into a directory, and returns who trusts it.
func issue(t *testing.T, directory, name string) *x509.CertPool {
	t.Helper()
	certificate, key, err := cert.GenerateSelfSignedCertKey(name, []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{"tls.crt": certificate, "tls.key": key} {
		// As the kubelet does it, a file is there whole or not at all.
		written := filepath.Join(directory, file)
		if err := os.WriteFile(written+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(written+".new", written); err != nil {
			t.Fatal(err)
		}
	}
	trusts := x509.NewCertPool()
	trusts.AppendCertsFromPEM(certificate)
	return trusts
}

// TestACertificateThatIsRenewedIsReadAgain: those that are issued for some months end
// while the manager runs.
func TestACertificateThatIsRenewedIsReadAgain(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	issue(t, directory, "first.example")
	held, err := certified(":8444", directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	named := func() string {
		pair, err := held.config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.Subject.CommonName
	}
	if got := named(); !strings.HasPrefix(got, "first.example") {
		t.Errorf("it is for %s", got)
	}
	issue(t, directory, "second.example")
	for end := time.Now().Add(time.Minute); !strings.HasPrefix(named(), "second.example"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it is still for %s", named())
		}
	}
}

// TestTheManagerServesItsPageWithACertificateThatWasGiven, and to those only whom the
// cluster knows.
func TestTheManagerServesItsPageWithACertificateThatWasGiven(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	trusts := issue(t, directory, "sluice.example")
	out := offMachine(t, directory)
	address := regexp.MustCompile(`The page is served.*"address":"[^"]*:([0-9]+)"`)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusts, MinVersion: tls.VersionTLS12}}}
	var port string
	for end := time.Now().Add(time.Minute); port == ""; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no page is served:\n%s", out)
		}
		if found := address.FindStringSubmatch(out.String()); found != nil {
			port = found[1]
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://127.0.0.1:"+port+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger is answered with %s", resp.Status)
	}
}

// TestACertificateThatIsNotThereStopsNothing but the page.
func TestACertificateThatIsNotThereStopsNothing(t *testing.T) {
	t.Parallel()
	out := offMachine(t, t.TempDir())
	for _, want := range []string{"The page is not served", "tls.crt: no such file", "Starting workers"} {
		for end := time.Now().Add(time.Minute); !strings.Contains(out.String(), want); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it does not say %q:\n%s", want, out)
			}
		}
	}
}

// offMachine is a manager that serves its page on all addresses with the certificate in
// a directory, and what it prints.
func offMachine(t *testing.T, directory string) *printed {
	t.Helper()
	endpoints, control := world(t, 60)
	cmd, out := program(t, append(endpoints, "--simulated-clock="+control, "--health-probe-bind-address=0",
		"--dashboard-bind-address=0.0.0.0:0", "--dashboard-cert-dir="+directory, "--leader-elect=false")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return out
}
