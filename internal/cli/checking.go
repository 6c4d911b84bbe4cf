package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/sluice-rollouts/sluice/internal/cli/lint"
)

// lint checks manifests without a cluster.
func (a *app) lint() *cobra.Command {
	var files []string
	var recursive bool
	cmd := &cobra.Command{
		Use:   "lint -f FILE",
		Short: "Check manifests without a cluster, by the API's own schema and rules",
		Long: `Check manifests without a cluster, by the API's own schema and rules.

Each CloudRunRollout, CloudRunAccess and RolloutFreeze is checked. Of a directory the
files that end in .json, .yaml or .yml are read, as kubectl does. Where there are
CloudRunAccesses among the objects, a note tells of each rollout that none of them binds:
another may, in the cluster. For a rollout without metadata.namespace that takes -n.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return usagef("lint needs -f FILE; - for standard input")
			}
			return a.lintFiles(cmd.Context(), files, recursive)
		},
	}
	cmd.Flags().StringArrayVarP(&files, "filename", "f", nil, "a manifest or a directory of them; - for standard input; may be repeated")
	cmd.Flags().BoolVarP(&recursive, "recursive", "R", false, "read what is below the directories, too")
	return cmd
}

// checkedFile is a manifest and what was found in it.
type checkedFile struct {
	name     string
	findings []lint.Finding
}

// lintFiles checks files and directories, each object alone and then all together. What
// was checked before a file that cannot be read is told.
func (a *app) lintFiles(ctx context.Context, paths []string, recursive bool) error {
	var files []checkedFile
	var failed error
	for _, path := range paths {
		var some []checkedFile
		some, failed = a.checkedBelow(ctx, path, recursive)
		files = append(files, some...)
		if failed != nil {
			break
		}
	}
	namespace := ""
	if a.flags.Namespace != nil {
		namespace = *a.flags.Namespace
	}
	var all []*lint.Finding
	for _, file := range files {
		for i := range file.findings {
			all = append(all, &file.findings[i])
		}
	}
	lint.Bind(all, namespace)
	code := ExitDone
	for _, file := range files {
		if err := a.print(report(file.name, file.findings)); err != nil {
			return err
		}
		if slices.ContainsFunc(file.findings, lint.Finding.Wrong) {
			code = ExitFailed
		}
	}
	if failed != nil {
		return failed
	}
	return said(code)
}

// nothingIn is an error where nothing was checked of what was meant to be.
func nothingIn(path string) error {
	return fmt.Errorf("%s: no %s, %s or %s in it", path, lint.KindRollout, lint.KindAccess, lint.KindFreeze)
}

// checkedBelow reads and checks a manifest, or those of a directory that kubectl would
// read. Files of a directory may be about other things, but not all of them.
func (a *app) checkedBelow(ctx context.Context, path string, recursive bool) ([]checkedFile, error) {
	names := []string{path}
	if path != "-" {
		visitors, err := resource.ExpandPathsToFileVisitors(nil, path, recursive, resource.FileExtensions, nil)
		if err != nil {
			return nil, err
		}
		names = nil
		for _, visitor := range visitors {
			if file, ok := visitor.(*resource.FileVisitor); ok {
				names = append(names, file.Path)
			}
		}
	}
	var files []checkedFile
	for _, name := range names {
		findings, err := a.checked(ctx, name)
		if err != nil {
			return files, err
		}
		if len(findings) > 0 {
			files = append(files, checkedFile{name, findings})
		}
	}
	if len(files) == 0 {
		return nil, nothingIn(path)
	}
	return files, nil
}

// checked reads and checks a manifest.
func (a *app) checked(ctx context.Context, file string) ([]lint.Finding, error) {
	text, err := a.text(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = text.Close() }()
	findings, err := lint.Manifest(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return findings, nil
}

// text opens a file, or standard input for "-".
func (a *app) text(file string) (io.ReadCloser, error) {
	if file == "-" {
		return io.NopCloser(a.In), nil
	}
	return os.Open(file) //nolint:gosec // users name files of their own
}

// report writes what was found, a line for each problem as compilers do.
func report(file string, findings []lint.Finding) string {
	var text strings.Builder
	for _, f := range findings {
		if !f.Wrong() {
			fmt.Fprintf(&text, "%s: %s: ok\n", file, f.Name)
		}
		for _, problem := range f.Problems {
			fmt.Fprintf(&text, "%s: %s: %s\n", file, f.Name, problem)
		}
		for _, warning := range f.Warnings {
			fmt.Fprintf(&text, "%s: %s: warning: %s\n", file, f.Name, warning)
		}
		for _, note := range f.Notes {
			fmt.Fprintf(&text, "%s: %s: note: %s\n", file, f.Name, note)
		}
	}
	return text.String()
}
