package manager

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// module is what is compiled.
const module = "github.com/sluice-rollouts/sluice"

// Build compiles the manager into a directory, with flags for go build.
func Build(ctx context.Context, dir string, flags ...string) (binary string, err error) {
	return BuildIn(ctx, "", dir, flags...)
}

// BuildIn is Build of the sources in another directory.
func BuildIn(ctx context.Context, sources, dir string, flags ...string) (binary string, err error) {
	binary = filepath.Join(dir, "sluice")
	args := append([]string{"build", "-o", binary}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, module)...)
	cmd.Dir = sources
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling the manager: %w\n%s", err, out)
	}
	return binary, nil
}
