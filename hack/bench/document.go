package main

import (
	"fmt"
	"os"
	"strings"
)

// The blocks of the document that are written here.
const (
	figures = "figures"
	costs   = "costs"
)

func mark(edge, block string) string {
	return fmt.Sprintf("<!-- %s of %s, written by make bench -->", edge, block)
}

// replace puts a text into a block of a document.
func replace(document, block, text string) (string, error) {
	before, rest, begun := strings.Cut(document, mark("begin", block))
	_, after, ended := strings.Cut(rest, mark("end", block))
	if !begun || !ended {
		return "", fmt.Errorf("the document has no block %q: write the lines %q and %q into it", block, mark("begin", block), mark("end", block))
	}
	return before + mark("begin", block) + "\n\n" + strings.TrimSpace(text) + "\n\n" + mark("end", block) + after, nil
}

// write puts the blocks that have a text into a file.
func write(path string, blocks map[string]string) error {
	document, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the document to write figures into: %w", err)
	}
	text := string(document)
	for _, block := range []string{figures, costs} {
		if blocks[block] == "" {
			continue
		}
		if text, err = replace(text, block, blocks[block]); err != nil {
			return fmt.Errorf("writing figures into %s: %w", path, err)
		}
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing figures: %w", err)
	}
	return nil
}
