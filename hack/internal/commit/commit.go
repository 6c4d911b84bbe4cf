// Package commit says what figures were measured on.
package commit

import (
	"context"
	"os/exec"
	"strings"
)

const (
	unknown = "unknown"
	changed = ", changed"
)

// Of is the commit of a working tree, with ", changed" where a file that git knows is
// not as it was committed, and "unknown" where git does not say. It asks git and not the
// running program, which may have been built without version control; so ask it first,
// before anything that takes long enough for a commit in between.
func Of(ctx context.Context, dir string) string {
	git := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty="+changed)
	git.Dir = dir
	name, err := git.Output()
	if err != nil {
		return unknown
	}
	return strings.TrimSpace(string(name))
}

// Exact tells whether a name that Of gave stands for one state of all files.
func Exact(name string) bool { return name != unknown && !strings.HasSuffix(name, changed) }
