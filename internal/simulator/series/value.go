package series

import (
	"math"
	"strconv"
)

// ValueType is the type of a point's value.
type ValueType uint8

// The value types that the modelled metrics have or that alignment yields.
const (
	TypeUnspecified ValueType = iota
	TypeBool
	TypeInt64
	TypeDouble
)

// String returns the name that the API uses.
func (t ValueType) String() string {
	names := [...]string{"VALUE_TYPE_UNSPECIFIED", "BOOL", "INT64", "DOUBLE"}
	if int(t) >= len(names) {
		return names[TypeUnspecified]
	}
	return names[t]
}

// Value is one typed value. Its zero value has no type.
type Value struct {
	bits uint64
	kind ValueType
}

// Int makes an INT64 value.
func Int(v int64) Value {
	return Value{uint64(v), TypeInt64} //nolint:gosec // the bits are kept and read back, nothing is computed with them
}

// Bool makes a BOOL value.
func Bool(v bool) Value { //nolint:revive // flag-parameter: the parameter is the value, not a switch
	if v {
		return Value{1, TypeBool}
	}
	return Value{0, TypeBool}
}

// Float makes a DOUBLE value.
func Float(v float64) Value { return Value{math.Float64bits(v), TypeDouble} }

// Type says which of Int, Bool and Float made the value.
func (v Value) Type() ValueType { return v.kind }

// Int64 is the value of an INT64; a DOUBLE is rounded, a true BOOL is 1.
func (v Value) Int64() int64 {
	if v.kind == TypeDouble {
		return int64(math.Round(v.Float64()))
	}
	return int64(v.bits) //nolint:gosec // the bits of an int64 come back
}

// Float64 is the value as a floating point number.
func (v Value) Float64() float64 {
	if v.kind == TypeDouble {
		return math.Float64frombits(v.bits)
	}
	return float64(v.Int64())
}

// Bool is the value of a BOOL; a number is true when it is not zero.
func (v Value) Bool() bool { return v.bits != 0 }

// Equal compares type and bits, so that NaN equals itself.
func (v Value) Equal(other Value) bool { return v == other }

// String prints the value for people.
func (v Value) String() string {
	if v.kind == TypeBool {
		return strconv.FormatBool(v.Bool())
	}
	return strconv.FormatFloat(v.Float64(), 'g', -1, 64)
}

// like makes a number of the same type as v.
func (v Value) like(number float64) Value {
	if v.kind == TypeDouble {
		return Float(number)
	}
	return Int(int64(math.Round(number)))
}
