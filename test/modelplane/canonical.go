package modelplane

import (
	"reflect"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var timeType = reflect.TypeFor[metav1.Time]()

// canonical makes of a value in Go what would come back from its JSON: times in
// whole seconds of the local zone, nil for what is empty, only valid UTF-8. It is
// many times faster than the way through JSON, and a test holds it to that.
func canonical(v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // the others come back as they are
	case reflect.Struct:
		if v.Type() == timeType {
			canonicalTime(v.Addr().Interface().(*metav1.Time))
			return
		}
		for i := range v.NumField() { //nolint:modernize // the iterator costs more than all that is done here
			canonical(v.Field(i))
		}
	case reflect.Pointer:
		canonicalPointer(v)
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
		}
		for i := range v.Len() {
			canonical(v.Index(i))
		}
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			v.SetString(string([]rune(v.String())))
		}
	}
}

func canonicalTime(t *metav1.Time) {
	if t.IsZero() {
		*t = metav1.Time{}
		return
	}
	t.Time = t.Truncate(time.Second).Local()
}

// canonicalPointer drops a pointer to no time, which is null in JSON.
func canonicalPointer(v reflect.Value) {
	if v.IsNil() {
		return
	}
	if t, ok := reflect.TypeAssert[*metav1.Time](v); ok && t.IsZero() {
		v.SetZero()
		return
	}
	canonical(v.Elem())
}
