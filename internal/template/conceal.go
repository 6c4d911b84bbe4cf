package template

import (
	"strings"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// shortest is the length in bytes from which on a value is looked for in what Cloud Run
// says: shorter ones are parts of words.
const shortest = 4

// concealed stands for a value.
const concealed = "[a value of the template]"

// Conceal takes out of a text what a template says in its variables, arguments and
// commands: Cloud Run may quote what it refuses, and whoever reads a status need not read
// the template.
func Conceal(t rollout.Template, text string) string {
	tree, _ := decode([]byte(t.JSON)).(map[string]any)
	containers, _ := tree["containers"].([]any)
	for _, value := range containers {
		container, _ := value.(map[string]any)
		for _, literal := range literals(container) {
			if len(literal) >= shortest {
				text = strings.ReplaceAll(text, literal, concealed)
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
