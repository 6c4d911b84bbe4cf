package modelplane

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// limits hold a value in Go to a schema: lengths, ranges, enums, patterns, what is
// required, and the keys of lists. They are compiled once, since looking fields
// up by name would cost more than all the rest of a write.
type limits struct {
	node
	name    string // of the field
	omitted bool   // the field is left out, or null, when it is zero
	needed  bool   // the schema requires the field
	index   int    // of the field in its struct
	pattern *regexp.Regexp
	fields  []*limits
	items   *limits
	keys    []int // of an item, the fields that tell it from others
}

// statusLimits compiles the limits of a status.
func statusLimits(definition node) *limits {
	return limitsOf(reflect.TypeFor[v1alpha1.CloudRunRolloutStatus](), definition.Properties["status"])
}

// limitsOf compiles the limits of a type.
func limitsOf(t reflect.Type, n node) *limits {
	l := &limits{node: n}
	if n.Pattern != "" {
		l.pattern = regexp.MustCompile(n.Pattern)
	}
	switch t.Kind() { //nolint:exhaustive // the others hold no further values
	case reflect.Pointer:
		return limitsOf(t.Elem(), n)
	case reflect.Slice:
		l.items = limitsOf(t.Elem(), *n.Items)
		for _, f := range l.items.fields {
			if slices.Contains(n.ListKeys, f.name) {
				l.keys = append(l.keys, f.index)
			}
		}
	case reflect.Struct:
		if t != timeType {
			l.fields = fieldsOf(t, n)
		}
	}
	return l
}

func fieldsOf(t reflect.Type, n node) []*limits {
	var fields []*limits
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		below := limitsOf(f.Type, n.Properties[name])
		below.name, below.index = name, f.Index[0]
		below.omitted, below.needed = strings.Contains(options, "omit") || f.Type == timeType, slices.Contains(n.Required, name)
		fields = append(fields, below)
	}
	return fields
}

// check returns what is wrong with a value. The paths begin below it.
func (l *limits) check(v reflect.Value) field.ErrorList {
	switch v.Kind() { //nolint:exhaustive // a status has no others
	case reflect.Pointer:
		return l.check(v.Elem())
	case reflect.Struct:
		return l.checkFields(v)
	case reflect.Slice:
		return l.checkItems(v)
	case reflect.String:
		return l.checkText(v.String())
	case reflect.Int32, reflect.Int64:
		return l.checkNumber(v.Int())
	}
	return nil
}

func (l *limits) checkFields(v reflect.Value) field.ErrorList {
	var wrong field.ErrorList
	for _, f := range l.fields {
		value := v.Field(f.index)
		switch {
		case !f.omitted || !value.IsZero():
			wrong = append(wrong, below(f.name, f.check(value))...)
		case f.needed:
			wrong = append(wrong, field.Required(field.NewPath(f.name), ""))
		}
	}
	return wrong
}

func (l *limits) checkItems(v reflect.Value) field.ErrorList {
	var wrong field.ErrorList
	if l.MaxItems != nil && v.Len() > *l.MaxItems {
		wrong = append(wrong, field.TooMany(nil, v.Len(), *l.MaxItems))
	}
	if v.Len() < l.MinItems {
		wrong = append(wrong, field.Invalid(nil, v.Len(), "too few items"))
	}
	for i := range v.Len() {
		found := l.items.check(v.Index(i))
		if l.repeated(v, i) {
			found = append(found, field.Duplicate(nil, nil))
		}
		if len(found) > 0 {
			wrong = append(wrong, below(fmt.Sprintf("[%d]", i), found)...)
		}
	}
	return wrong
}

// repeated tells whether an item has the keys of an earlier one.
func (l *limits) repeated(v reflect.Value, item int) bool {
	for earlier := range item {
		same := func(key int) bool { return v.Index(item).Field(key).Equal(v.Index(earlier).Field(key)) }
		if len(l.keys) > 0 && !slices.ContainsFunc(l.keys, func(key int) bool { return !same(key) }) {
			return true
		}
	}
	return false
}

func (l *limits) checkText(text string) field.ErrorList {
	var wrong field.ErrorList
	if l.MaxLength != nil && len(text) > *l.MaxLength && utf8.RuneCountInString(text) > *l.MaxLength {
		wrong = append(wrong, field.TooLong(nil, text, *l.MaxLength))
	}
	if l.MinLength > 0 && utf8.RuneCountInString(text) < l.MinLength {
		wrong = append(wrong, field.Invalid(nil, text, "too short"))
	}
	if l.pattern != nil && !l.pattern.MatchString(text) {
		wrong = append(wrong, field.Invalid(nil, text, "does not match "+l.Pattern))
	}
	if len(l.Enum) > 0 && !slices.Contains(l.Enum, any(text)) {
		wrong = append(wrong, field.NotSupported[string](nil, text, nil))
	}
	return wrong
}

func (l *limits) checkNumber(number int64) field.ErrorList {
	if l.Minimum != nil && float64(number) < *l.Minimum || l.Maximum != nil && float64(number) > *l.Maximum {
		return field.ErrorList{field.Invalid(nil, number, "out of range")}
	}
	return nil
}

// below puts a step before the paths of errors. A valid value never gets here with any.
func below(step string, wrong field.ErrorList) field.ErrorList {
	for _, w := range wrong {
		switch {
		case w.Field == "" || w.Field == "<nil>":
			w.Field = step
		case strings.HasPrefix(w.Field, "["):
			w.Field = step + w.Field
		default:
			w.Field = step + "." + w.Field
		}
	}
	return wrong
}
