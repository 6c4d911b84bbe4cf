package template

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// shortest is the length in bytes from which on a value is looked for in what Cloud Run
// says: shorter ones are parts of words.
const shortest = 4

// concealed stands for a value.
const concealed = "[a value of the template]"

// Conceal takes out of a text what a template says in its variables, arguments and
// commands: Cloud Run may quote what it refuses, and whoever reads a status need not read
// the template. The text may be cut, on one line, and quote as JSON does.
func Conceal(t rollout.Template, text string) string {
	tree, _ := decode([]byte(t.JSON)).(map[string]any)
	containers, _ := tree["containers"].([]any)
	var all []string
	for _, value := range containers {
		container, _ := value.(map[string]any)
		for _, literal := range literals(container) {
			all = append(all, forms(literal)...)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // the longest first: others are parts of it
	for _, literal := range all {
		if len(literal) >= shortest {
			text = strings.ReplaceAll(text, literal, concealed)
		}
	}
	return withoutEnd(text, all)
}

// forms are how a literal may be quoted: as it is, as JSON writes it, each on one line.
func forms(literal string) []string {
	quoted, err := json.Marshal(literal)
	if err != nil {
		quoted = nil
	}
	line := strings.Join(strings.FieldsFunc(literal, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	return []string{literal, line, strings.Trim(string(quoted), `"`)}
}

// withoutEnd takes the beginning of a literal away from the end of a text that was cut.
func withoutEnd(text string, all []string) string {
	kept, cut := strings.CutSuffix(text, "...")
	if !cut {
		return text
	}
	for _, literal := range all {
		for n := len(literal) - 1; n >= shortest; n-- {
			if before, found := strings.CutSuffix(kept, literal[:n]); found {
				return before + concealed + "..."
			}
		}
	}
	return text
}

// literals are the strings of a container that its author may not want to be repeated.
func literals(container map[string]any) []string {
	var all []string
	variables, _ := container["env"].([]any)
	for _, value := range variables {
		variable, _ := value.(map[string]any)
		if text, ok := variable["value"].(string); ok {
			all = append(all, text)
		}
	}
	for _, field := range []string{"command", "args"} {
		words, _ := container[field].([]any)
		for _, word := range words {
			if text, ok := word.(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}
