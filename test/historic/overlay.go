package historic

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Overlay writes the files that a bug changes into a directory, and the list of
// them for go build -overlay. It returns the list's path.
func (b Bug) Overlay(root, dir string) (string, error) {
	changed, err := b.changes(root)
	if err != nil {
		return "", err
	}
	return writeOverlay(root, dir, changed)
}

// changes are the files that a bug changes, as it leaves them.
func (b Bug) changes(root string) (map[string]string, error) {
	changed := map[string]string{}
	for _, h := range b.Hunks {
		if _, known := changed[h.File]; !known {
			text, err := os.ReadFile(filepath.Join(root, h.File))
			if err != nil {
				return nil, fmt.Errorf("bug %s: %w: %w", b.Name, ErrMoved, err)
			}
			changed[h.File] = string(text)
		}
		text, err := h.apply(changed[h.File])
		if err != nil {
			return nil, fmt.Errorf("bug %s: %w", b.Name, err)
		}
		changed[h.File] = text
	}
	return changed, nil
}

func writeOverlay(root, dir string, changed map[string]string) (string, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	replace := map[string]string{}
	for file, text := range changed {
		at := filepath.Join(dir, fmt.Sprintf("%d_%s", len(replace), filepath.Base(file)))
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("writing a changed file: %w", err)
		}
		replace[filepath.Join(root, file)] = at
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("writing the overlay: %w", err)
	}
	at := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(at, list, 0o600); err != nil {
		return "", fmt.Errorf("writing the overlay: %w", err)
	}
	return at, nil
}
