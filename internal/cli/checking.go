package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-rollouts/sluice/internal/cli/lint"
)

// lint checks manifests without a cluster.
func (a *app) lint() *cobra.Command {
	var files []string
	cmd := &cobra.Command{
		Use:   "lint -f FILE",
		Short: "Check manifests without a cluster, by the API's own schema and rules",
		Args:  none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return usagef("lint needs -f FILE; - for standard input")
			}
			code := ExitDone
			for _, file := range files {
				findings, err := a.checked(cmd.Context(), file)
				if err != nil {
					return err
				}
				if err := a.print(report(file, findings)); err != nil {
					return err
				}
				if slices.ContainsFunc(findings, lint.Finding.Wrong) {
					code = ExitFailed
				}
			}
			return said(code)
		},
	}
	cmd.Flags().StringArrayVarP(&files, "filename", "f", nil, "a manifest; - for standard input; may be repeated")
	return cmd
}

// checked reads and checks a manifest. One without a CloudRunRollout is a mistake:
// what was meant to be checked was not.
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
	if len(findings) == 0 {
		return nil, fmt.Errorf("%s: no CloudRunRollout in it", file)
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
	}
	return text.String()
}
