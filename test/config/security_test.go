package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	repository = "../.."
	security   = repository + "/docs/security.md"
	attacks    = 24 // S1 to S24
)

var (
	testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
)

// rowsOf are the cells of those rows of docs/security.md whose first one begins so.
func rowsOf(t *testing.T, first string) [][]string {
	t.Helper()
	text, err := os.ReadFile(security)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "| "+first); ok {
			cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(first+rest), " |"), " | ")
			rows = append(rows, cells)
		}
	}
	return rows
}

func TestEveryAttackHasATestOrAReasonWhyThereIsNone(t *testing.T) {
	known := testsOfTheTree(t)
	rows := rowsOf(t, "S")
	if len(rows) != attacks {
		t.Errorf("%d attacks, want %d", len(rows), attacks)
	}
	for i, cells := range rows {
		if want := fmt.Sprintf("S%d", i+1); len(cells) != 4 || cells[0] != want {
			t.Errorf("row %d is %q, want four cells that begin with %s", i+1, cells, want)
			continue
		}
		held := cells[3]
		named := testName.FindAllStringSubmatch(held, -1)
		if reason, none := strings.CutPrefix(held, "none: "); none == (len(named) > 0) || none && len(reason) < 20 {
			t.Errorf("%s is held by %q: name a test, or write none: and why", cells[0], held)
		}
		for _, match := range named {
			if !known[match[1]] {
				t.Errorf("%s names %s, which is no test", cells[0], match[1])
			}
		}
	}
}

// testsOfTheTree are the names of all tests and fuzz targets.
func testsOfTheTree(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != repository && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, match := range testFunc.FindAllStringSubmatch(string(text), -1) {
			names[match[1]] = true
		}
		return err
	})
	if err != nil || len(names) < 500 {
		t.Fatalf("%d tests are found (%v)", len(names), err)
	}
	return names
}

func TestEveryRightOfTheManagerHasItsReason(t *testing.T) {
	var explained []string
	for _, cells := range rowsOf(t, "`") {
		if len(cells) != 2 || len(cells[1]) < 10 {
			t.Errorf("no reason is given in %q", cells)
		}
		explained = append(explained, strings.Trim(cells[0], "`"))
	}
	same(t, explained, rights+"\n"+keptRights)
}
