package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
)

// checker compares JSON with the types of the API.
type checker struct{ problems *problems }

// wanted says how a value of a kind is written.
var wanted = map[string]string{
	kindString: "a string, in quotes where YAML would read something else",
	kindBool:   "true or false",
	kindInt:    "a whole number",
	kindFloat:  "a number",
	kindTexts:  "an object of names and strings",
}

// value checks a value of a kind.
func (c *checker) value(path, kind string, raw json.RawMessage) {
	items, isList := strings.CutPrefix(kind, listOf)
	known, isObject := types()[kind]
	switch is := nature(raw); {
	case is == "null":
		c.problems.add(path, "is null; leave it out, or write %s", form(kind))
	case isList && is == "a list":
		c.list(path, items, raw)
	case isObject && is == "an object":
		c.object(path, kind, known, raw)
	case kind == kindTexts && is == "an object":
		for _, m := range c.members(path, raw) {
			c.value(member(path, m.name), kindString, m.value)
		}
	case fits(kind, is, raw):
	case is == "a number" && kind == kindInt:
		c.problems.add(path, "is not a whole number; write one")
	case is == "a string" && (kind == kindInt || kind == kindFloat):
		c.problems.add(path, "is a string that is no number; write %s", form(kind))
	default:
		c.problems.add(path, "is %s; write %s", is, form(kind))
	}
}

// form says how a kind is written.
func form(kind string) string {
	if text, ok := wanted[kind]; ok {
		return text
	}
	if strings.HasPrefix(kind, listOf) {
		return "a list"
	}
	return "an object"
}

// nature says what a value is, by how it begins.
func nature(raw json.RawMessage) string {
	switch bytes.TrimLeft(raw, " \t\r\n")[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}

// fits tells whether a scalar is of a kind. Numbers may be written as strings, as
// protobuf's JSON has it.
func fits(kind, is string, raw json.RawMessage) bool {
	text := string(bytes.TrimSpace(raw))
	if is == "a string" {
		if json.Unmarshal(raw, &text) != nil {
			return false
		}
	}
	numeric := is == "a string" || is == "a number"
	switch kind {
	case kindString:
		return is == "a string"
	case kindBool:
		return is == "true or false"
	case kindInt:
		_, err := strconv.ParseInt(text, 10, 64)
		return numeric && err == nil && !strings.HasPrefix(text, "+")
	case kindFloat:
		number, err := strconv.ParseFloat(text, 64)
		return numeric && err == nil && !math.IsNaN(number) && !math.IsInf(number, 0)
	}
	return false
}

func (c *checker) list(path, kind string, raw json.RawMessage) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		c.problems.add(path, "cannot be read as a list")
		return
	}
	for i, inner := range items {
		c.value(item(path, i), kind, inner)
	}
}

func (c *checker) object(path, kind string, known fields, raw json.RawMessage) {
	for _, m := range c.members(path, raw) {
		inner, ok := known[m.name]
		if !ok {
			c.problems.add(member(path, m.name), "no such field%s", instead(kind, m.name, known))
			continue
		}
		c.value(member(path, m.name), inner, m.value)
	}
}

// named is a member of an object.
type named struct {
	name  string
	value json.RawMessage
}

// members are those of an object, each once. Of a name that occurs twice, readers
// believe the first or the last, so that it is a problem.
func (c *checker) members(path string, raw json.RawMessage) []named {
	all, err := split(raw)
	if err != nil {
		c.problems.add(path, "cannot be read as an object")
		return nil
	}
	seen := map[string]bool{}
	for _, m := range all {
		if seen[m.name] {
			c.problems.add(member(path, m.name), "is there twice; leave one")
		}
		seen[m.name] = true
	}
	return all
}

// split reads the members of an object in their order.
func split(raw json.RawMessage) ([]named, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var all []named
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("a name that is no string")
		}
		m := named{name: name}
		if err := decoder.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}
