package template

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"
)

// root is the type of a template.
const root = "RevisionTemplate"

// The kinds of a field that are not one of the API's types. A list is written "[]"
// before the kind of its items.
const (
	kindString = "string"
	kindBool   = "bool"
	kindInt    = "int"
	kindFloat  = "float"
	kindTexts  = "map" // from names to strings
	listOf     = "[]"
)

// table has the API's types that a template is made of, each with the names and kinds
// of its fields. It stands here as text, and a test holds it to the client library,
// because the command line that reads templates too has no use for that library.
//
//go:embed fields.txt
var table string

// fields are the kinds of a type's fields by name.
type fields map[string]string

// types reads the table, once.
var types = sync.OnceValue(func() map[string]fields {
	all := map[string]fields{}
	var current fields
	for line := range strings.Lines(table) {
		name, kind, isField := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case name == "" || name == "#":
		case isField:
			current[name] = kind
		default:
			current = fields{}
			all[name] = current
		}
	}
	return all
})

// names are those of the fields, in order.
func (f fields) names() []string { return slices.Sorted(maps.Keys(f)) }
