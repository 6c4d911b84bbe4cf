package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/sluice-rollouts/sluice/hack/internal/commit"
	"github.com/sluice-rollouts/sluice/test/historic"
)

// The lines between which the table stands in a document.
const (
	begin = "<!-- begin of historic bugs, written by make historic -->"
	end   = "<!-- end of historic bugs, written by make historic -->"
)

// report writes the table into the document, if one is named.
func report(ctx context.Context, o options, controls, results []historic.Result) error {
	if o.document == "" {
		return nil
	}
	incidents, err := historic.Ledger()
	if err != nil {
		return err
	}
	document, err := os.ReadFile(o.document)
	if err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	before, rest, begun := strings.Cut(string(document), begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		return fmt.Errorf("%s has not the lines %q and %q", o.document, begin, end)
	}
	summary := fmt.Sprintf("%s %s Commit %s.", historic.Summary(results), clean(controls), commit.Of(ctx, o.root))
	text := before + begin + "\n\n" + summary + "\n\n" + historic.Table(incidents, results) + "\n" + end + after
	if err := os.WriteFile(o.document, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}
