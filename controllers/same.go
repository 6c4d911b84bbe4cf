package controllers

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// same tells whether two parts of a status say the same: times by their instant, and
// an empty list like one that is missing. It says what equality.Semantic says, which was
// a tenth of what each look at a rollout costs the processor.
func same[T any](a, b *T) bool {
	return alike(reflect.ValueOf(a), reflect.ValueOf(b))
}

var timeType = reflect.TypeFor[metav1.Time]()

func alike(a, b reflect.Value) bool {
	switch a.Kind() { //nolint:exhaustive // the others are compared as they are
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return alike(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !alike(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		return alikeStructs(a, b)
	}
	return a.Equal(b)
}

func alikeStructs(a, b reflect.Value) bool {
	if a.Type() == timeType {
		return a.Addr().Interface().(*metav1.Time).Equal(b.Addr().Interface().(*metav1.Time)) //nolint:forcetypeassert // that is its type
	}
	for i := range a.NumField() {
		if !alike(a.Field(i), b.Field(i)) {
			return false
		}
	}
	return true
}
