package controllers

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestSameIsSemanticEquality: it says of statuses what equality.Semantic says, be they the
// same in other zones and with other empty lists, or different anywhere at all.
func TestSameIsSemanticEquality(t *testing.T) {
	t.Parallel()
	random, differed := rand.New(rand.NewPCG(1, 2)), 0
	for range 2000 {
		var a v1alpha1.CloudRunRolloutStatus
		fillAny(random, reflect.ValueOf(&a).Elem())
		b := *a.DeepCopy()
		respell(random, reflect.ValueOf(&b).Elem())
		if !same(&a, &b) || !equality.Semantic.DeepEqual(a, b) {
			t.Fatalf("%+v is not the same as %+v", a, b)
		}
		changeAny(random, reflect.ValueOf(&b).Elem())
		want := equality.Semantic.DeepEqual(a, b)
		if got := same(&a, &b); got != want {
			t.Fatalf("that it is the same is %t, want %t: %+v and %+v", got, want, a, b)
		}
		if !want {
			differed++
		}
	}
	if differed < 1000 {
		t.Errorf("only %d of 2000 were changed", differed)
	}
}

// TestAStatusIsMadeOfWhatSameCompares: of other kinds, such as maps, it knows nothing.
func TestAStatusIsMadeOfWhatSameCompares(t *testing.T) {
	t.Parallel()
	var walk func(path string, of reflect.Type)
	walk = func(path string, of reflect.Type) {
		switch of.Kind() { //nolint:exhaustive // the others are refused
		case reflect.Pointer, reflect.Slice:
			walk(path, of.Elem())
		case reflect.Struct:
			for f := range of.Fields() {
				if of != timeType {
					walk(path+"."+f.Name, f.Type)
				}
			}
		case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64:
		default:
			t.Errorf("%s is a %v", path, of)
		}
	}
	walk("status", reflect.TypeFor[v1alpha1.CloudRunRolloutStatus]())
}

// fillAny sets a value to something at random.
func fillAny(random *rand.Rand, v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // the others are not in a status
	case reflect.Struct:
		if v.Type() == timeType {
			v.Set(reflect.ValueOf(metav1.NewTime(time.Unix(random.Int64N(1<<31), 0))))
			return
		}
		for _, field := range v.Fields() {
			fillAny(random, field)
		}
	case reflect.Pointer:
		if random.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillAny(random, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), random.IntN(3), 3))
		for i := range v.Len() {
			fillAny(random, v.Index(i))
		}
	case reflect.String:
		v.SetString(string(rune('a' + random.IntN(26))))
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	case reflect.Int32, reflect.Int64:
		v.SetInt(random.Int64N(9))
	}
}

// respell says the same in another way: times in another zone, nil for what is empty.
func respell(random *rand.Rand, v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // the others can be written in one way only
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*metav1.Time); ok {
			at.Time = at.In(time.FixedZone("", 60*random.IntN(60)))
			return
		}
		for _, field := range v.Fields() {
			respell(random, field)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			respell(random, v.Elem())
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
		}
		for i := range v.Len() {
			respell(random, v.Index(i))
		}
	}
}

// changeAny fills one part of a value anew, at any depth.
func changeAny(random *rand.Rand, v reflect.Value) {
	switch {
	case v.Type() == timeType:
	case v.Kind() == reflect.Struct:
		changeAny(random, v.Field(random.IntN(v.NumField())))
		return
	case v.Kind() == reflect.Pointer && !v.IsNil() && random.IntN(4) > 0:
		changeAny(random, v.Elem())
		return
	case v.Kind() == reflect.Slice && v.Len() > 0 && random.IntN(4) > 0:
		changeAny(random, v.Index(random.IntN(v.Len())))
		return
	}
	fillAny(random, v)
}
