package historic

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Bug is a mistake that is made on purpose. Its file has lines "key: value", an
// empty line, and hunks.
type Bug struct {
	Name     string // of its file, without the ending
	Incident string // ID in the ledger
	Change   string // what is changed here, as a sentence
	Detector Detector
	Breaks   string // the invariant that the detector must report, or its test
	Hunks    []Hunk
}

// Hunk replaces a text of whole lines, which must be in its file exactly once.
type Hunk struct {
	File     string
	Old, New string
}

//go:embed bugs
var files embed.FS

// Bugs reads all of them, ordered by name.
func Bugs() ([]Bug, error) {
	entries, err := fs.ReadDir(files, "bugs")
	if err != nil {
		return nil, fmt.Errorf("looking for bugs: %w", err)
	}
	bugs := make([]Bug, 0, len(entries))
	for _, entry := range entries {
		text, err := fs.ReadFile(files, path.Join("bugs", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading a bug: %w", err)
		}
		bug, err := Parse(strings.TrimSuffix(entry.Name(), ".txt"), string(text))
		if err != nil {
			return nil, err
		}
		bugs = append(bugs, bug)
	}
	return bugs, nil
}

// Parse reads a bug's file.
func Parse(name, text string) (Bug, error) {
	b := Bug{Name: name}
	head, body, _ := strings.Cut(text, "\n\n")
	var errs []error
	for line := range strings.Lines(head) {
		errs = append(errs, b.set(strings.TrimSpace(line)))
	}
	var err error
	b.Hunks, err = parseHunks(body)
	errs = append(errs, err, b.complete())
	if err := errors.Join(errs...); err != nil {
		return b, fmt.Errorf("bug %s: %w", name, err)
	}
	return b, nil
}

// set takes one line of the head.
func (b *Bug) set(line string) (err error) {
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "incident":
		b.Incident = value
	case "change":
		b.Change = value
	case "detector":
		b.Detector, err = parseDetector(value)
	case "breaks":
		b.Breaks = value
	default:
		err = fmt.Errorf("unknown line %q", line)
	}
	return err
}

func (b *Bug) complete() error {
	if cmp.Or(b.Incident, b.Change) == "" || b.Breaks == "" || b.Detector.Name == "" || len(b.Hunks) == 0 {
		return errors.New("it needs incident, change, detector, breaks and a hunk")
	}
	if !b.Detector.reports(b.Breaks) {
		return fmt.Errorf("%s reports no %q", b.Detector.Name, b.Breaks)
	}
	return nil
}

// parseHunks reads hunks. "@ FILE" begins one; in it lines begin with "-" where
// they are only in the product, with "+" where they are only in the bug, and with a
// space where they are in both.
func parseHunks(text string) ([]Hunk, error) {
	var hunks []Hunk
	for line := range strings.Lines(text) {
		if file, begins := strings.CutPrefix(line, "@ "); begins {
			hunks = append(hunks, Hunk{File: strings.TrimSpace(file)})
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if len(hunks) == 0 {
			return nil, fmt.Errorf("line %q before any hunk", line)
		}
		if err := hunks[len(hunks)-1].add(line[0], line[1:]); err != nil {
			return nil, err
		}
	}
	return hunks, nil
}

func (h *Hunk) add(kind byte, line string) error {
	switch kind {
	case '-':
		h.Old += line
	case '+':
		h.New += line
	case ' ':
		h.Old += line
		h.New += line
	default:
		return fmt.Errorf("a line of a hunk begins with %q", kind)
	}
	return nil
}

// ErrMoved is a hunk whose text is not found exactly once.
var ErrMoved = errors.New("the code moved: renew this bug")

// apply makes the hunk's mistake in the text of its file.
func (h Hunk) apply(text string) (string, error) {
	if n := strings.Count("\n"+text, "\n"+h.Old); n != 1 || h.Old == "" {
		return "", fmt.Errorf("%w: in %s this text is there %d times:\n%s", ErrMoved, h.File, n, h.Old)
	}
	changed := strings.Replace("\n"+text, "\n"+h.Old, "\n"+h.New, 1)
	return changed[1:], nil
}
