package template

import (
	"fmt"
	"regexp"
	"strings"
)

// manifestPath is where a template stands in a manifest.
const manifestPath = "spec.template"

const (
	// maxProblems is how many problems, and how many findings, are told at once.
	maxProblems = 10
	// maxName bounds a name of a field in a path, in bytes.
	maxName = 63
)

// InvalidError is why a template is refused.
type InvalidError struct {
	// Problems are sentences, each beginning with its place in the manifest: at most
	// ten of them, in the order of the manifest.
	Problems []string
	// More is how many further ones there are.
	More int
}

// Error writes the problems one after the other.
func (e *InvalidError) Error() string {
	text := strings.Join(e.Problems, "; ")
	if e.More > 0 {
		text += fmt.Sprintf("; and %d more", e.More)
	}
	return text
}

// problems collects them.
type problems struct {
	told []string
	more int
}

// add notes one. Nothing that it says may be a value.
func (p *problems) add(path, format string, args ...any) {
	if len(p.told) == maxProblems {
		p.more++
		return
	}
	p.told = append(p.told, path+": "+fmt.Sprintf(format, args...))
}

func (p *problems) err() error {
	if len(p.told) == 0 {
		return nil
	}
	return &InvalidError{Problems: p.told, More: p.more}
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

// member is the path of a field, also of one with an odd name.
func member(path, name string) string {
	if plainName.MatchString(name) {
		return path + "." + name
	}
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "") + "..."
	}
	return fmt.Sprintf("%s[%+q]", path, name)
}

func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
