package template

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	run "google.golang.org/api/run/v2"
)

var update = flag.Bool("update", false, "write fields.txt anew")

const prefix = "GoogleCloudRunV2"

// TestTheFieldsAreThoseOfTheAPI: fields.txt says what the client library says, whose
// types are made from the API's discovery document.
func TestTheFieldsAreThoseOfTheAPI(t *testing.T) {
	t.Parallel()
	found := map[string][]string{}
	note(t, found, reflect.TypeFor[run.GoogleCloudRunV2RevisionTemplate]())
	var text strings.Builder
	text.WriteString("# Made of google.golang.org/api/run/v2 by go test ./internal/template -update.\n")
	for _, name := range slices.Sorted(maps.Keys(found)) {
		fmt.Fprintf(&text, "%s\n", name)
		for _, field := range found[name] {
			fmt.Fprintf(&text, "  %s\n", field)
		}
	}
	if *update {
		if err := os.WriteFile("fields.txt", []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(text.String(), table); diff != "" {
		t.Errorf("fields.txt (-API +got):\n%s", diff)
	}
	for name, lines := range found {
		if len(types()[name]) != len(lines) {
			t.Errorf("%s has %d fields, read as %d", name, len(lines), len(types()[name]))
		}
	}
}

// note writes down a type's fields, and those of the types that they are of.
func note(t *testing.T, found map[string][]string, of reflect.Type) {
	t.Helper()
	name := strings.TrimPrefix(of.Name(), prefix)
	if _, done := found[name]; done {
		return
	}
	found[name] = []string{}
	for field := range of.Fields() {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == "" || tag == "-" {
			continue
		}
		kind, inner := kindOfType(t, field.Type)
		found[name] = append(found[name], tag+" "+kind)
		if inner != nil {
			note(t, found, inner)
		}
	}
}

// kindOfType is how the table writes a type, and the type of the API in it.
func kindOfType(t *testing.T, of reflect.Type) (kind string, inner reflect.Type) {
	t.Helper()
	kind, ok := map[reflect.Kind]string{
		reflect.String: kindString, reflect.Bool: kindBool, reflect.Int64: kindInt, reflect.Float64: kindFloat,
	}[of.Kind()]
	switch {
	case ok:
		return kind, nil
	case of.Kind() == reflect.Map && of.Elem().Kind() == reflect.String:
		return kindTexts, nil
	case of.Kind() == reflect.Slice:
		kind, inner = kindOfType(t, of.Elem())
		return listOf + kind, inner
	case of.Kind() == reflect.Pointer:
		return strings.TrimPrefix(of.Elem().Name(), prefix), of.Elem()
	}
	t.Fatalf("a kind that the table has no word for: %s", of)
	return "", nil
}
