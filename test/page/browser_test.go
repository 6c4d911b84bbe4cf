package page

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// needs is the variable that names the programs that must be there.
const needs = "SLUICE_NEEDS"

// patience is how long a browser may take on a busy machine.
const patience = 2 * time.Minute

// browser is an installed Chromium.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if strings.Contains(os.Getenv(needs), "chromium") {
		t.Fatal("chromium is not installed; on Debian it is in the package of that name")
	}
	t.Skip("chromium is not installed; on Debian it is in the package of that name")
	return ""
}

// chromium is a browser of its own that is not started yet. Nothing of it leaves this
// machine: whatever is not on loopback resolves to nothing.
func chromium(ctx context.Context, t *testing.T, url string, args ...string) *exec.Cmd {
	t.Helper()
	home, err := os.MkdirTemp("", "sluice-page-")
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: a process of a browser that was killed may write a file while this
	// removes the directory, which is no failure of the page.
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	cmd := exec.CommandContext(ctx, browser(t), append(append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--user-data-dir=" + filepath.Join(home, "profile"),
	}, args...), url)...)
	cmd.Env = append(os.Environ(), "HOME="+home, "TZ=UTC")
	return cmd
}

// visit runs a browser and returns what it prints.
func visit(t *testing.T, url string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := chromium(ctx, t, url, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium %s: %v\n%s", url, err, said.String())
	}
	return out.String()
}
