package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/sluice-rollouts/sluice/test/historic"
)

// The lines between which the table stands in a document.
const (
	begin = "<!-- begin of historic bugs, written by make historic -->"
	end   = "<!-- end of historic bugs, written by make historic -->"
)

// report writes the table into the document, if one is named and nothing is missing.
func report(o options, k *kept) error {
	if o.document == "" {
		return nil
	}
	bugs, err := historic.Bugs()
	if err != nil {
		return err
	}
	results, controls, missing := k.all(bugs)
	if missing > 0 {
		fmt.Printf("%d bugs and detectors are still to be tried; then %s is written\n", missing, o.document)
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
	summary := fmt.Sprintf("%s %s Commit %s.", historic.Summary(results), clean(controls), k.Commit)
	text := before + begin + "\n\n" + summary + "\n\n" + historic.Table(incidents, results) + "\n" + end + after
	if err := os.WriteFile(o.document, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}
