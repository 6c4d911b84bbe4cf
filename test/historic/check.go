package historic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Check compiles what bugs change, and nothing more. Bugs that do not touch the same
// text are compiled together; where that fails each of them is, to name those that
// do not compile.
func (h Hunt) Check(ctx context.Context, bugs []Bug) error {
	groups, err := h.groups(bugs)
	if err != nil {
		return err
	}
	var errs []error
	for _, group := range groups {
		if h.checkOne(ctx, together(group)) == nil {
			continue
		}
		for _, b := range group {
			errs = append(errs, h.checkOne(ctx, b))
		}
	}
	return errors.Join(errs...)
}

// groups puts bugs together that can be made at once.
func (h Hunt) groups(bugs []Bug) ([][]Bug, error) {
	var groups [][]Bug
	for _, b := range bugs {
		if err := h.applies(b); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(groups, func(group []Bug) bool { return h.applies(together(append(slices.Clone(group), b))) == nil })
		if i < 0 {
			groups = append(groups, []Bug{b})
			continue
		}
		groups[i] = append(groups[i], b)
	}
	return groups, nil
}

func (h Hunt) applies(b Bug) error {
	_, err := b.changes(h.Root)
	return err
}

// together is one bug that makes several mistakes.
func together(bugs []Bug) Bug {
	all := Bug{Name: "together"}
	for _, b := range bugs {
		all.Hunks = append(all.Hunks, b.Hunks...)
	}
	return all
}

func (h Hunt) checkOne(ctx context.Context, b Bug) error {
	dir, err := os.MkdirTemp(h.Dir, b.Name+"-")
	if err != nil {
		return fmt.Errorf("making room: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := b.Overlay(h.Root, dir)
	if err != nil {
		return err
	}
	var packages []string
	for _, hunk := range b.Hunks {
		packages = append(packages, "./"+filepath.Dir(hunk.File))
	}
	slices.Sort(packages)
	if err := h.compile(ctx, append([]string{"build", "-overlay", overlay}, slices.Compact(packages)...)); err != nil {
		return fmt.Errorf("bug %s: %w", b.Name, err)
	}
	return nil
}
