package commit_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sluice-rollouts/sluice/hack/internal/commit"
)

// TestOnlyACleanTreeIsExact: what was changed since, and what is in no repository, is said.
func TestOnlyACleanTreeIsExact(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not there")
	}
	dir := t.TempDir()
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(dir)) // a repository above is not this one
	if name := commit.Of(t.Context(), dir); commit.Exact(name) {
		t.Errorf("without a repository it is %q", name)
	}
	file := filepath.Join(dir, "a.go")
	write(t, file, "package a\n")
	git(t.Context(), t, dir, "init", "-q")
	git(t.Context(), t, dir, "add", "a.go")
	git(t.Context(), t, dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "Begin")
	clean := commit.Of(t.Context(), dir)
	if !commit.Exact(clean) {
		t.Errorf("as committed it is %q", clean)
	}
	write(t, filepath.Join(dir, "report.json"), "{}") // what a measurement leaves there changes nothing
	if again := commit.Of(t.Context(), dir); again != clean {
		t.Errorf("beside a file that git does not know it is %q, not %q", again, clean)
	}
	write(t, file, "package b\n")
	if name := commit.Of(t.Context(), dir); commit.Exact(name) || name != clean+", changed" {
		t.Errorf("changed it is %q", name)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func git(ctx context.Context, t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}
