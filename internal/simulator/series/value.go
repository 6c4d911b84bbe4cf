package series

import (
	"math"
	"slices"
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
	TypeDistribution
)

// String returns the name that the API uses.
func (t ValueType) String() string {
	names := [...]string{"VALUE_TYPE_UNSPECIFIED", "BOOL", "INT64", "DOUBLE", "DISTRIBUTION"}
	if int(t) >= len(names) {
		return names[TypeUnspecified]
	}
	return names[t]
}

// Value is one typed value. Its zero value has no type.
type Value struct {
	bits uint64 // of a distribution: how many samples it has
	kind ValueType
	dist *Distribution
}

// Int makes an INT64 value.
func Int(v int64) Value {
	return Value{bits: uint64(v), kind: TypeInt64} //nolint:gosec // the bits are kept and read back, nothing is computed with them
}

// Bool makes a BOOL value.
func Bool(v bool) Value { //nolint:revive // flag-parameter: the parameter is the value, not a switch
	if v {
		return Value{bits: 1, kind: TypeBool}
	}
	return Value{kind: TypeBool}
}

// Float makes a DOUBLE value.
func Float(v float64) Value { return Value{bits: math.Float64bits(v), kind: TypeDouble} }

// Distributed makes a DISTRIBUTION value.
func Distributed(d Distribution) Value {
	d.buckets = slices.Clone(d.buckets)
	return Value{bits: uint64(d.count), kind: TypeDistribution, dist: &d} //nolint:gosec // a count is not negative
}

// Distribution is the value of a DISTRIBUTION, empty for other types.
func (v Value) Distribution() Distribution {
	if v.dist == nil {
		return Distribution{}
	}
	return *v.dist
}

// Type says which of Int, Bool, Float and Distributed made the value.
func (v Value) Type() ValueType { return v.kind }

// Int64 is the value of an INT64; a DOUBLE is rounded, a true BOOL is 1, a
// DISTRIBUTION is its number of samples.
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

// Equal compares type and bits, so that NaN equals itself, and distributions by
// all they hold.
func (v Value) Equal(other Value) bool {
	return v.kind == other.kind && v.bits == other.bits && v.Distribution().equal(other.Distribution())
}

// String prints the value for people.
func (v Value) String() string {
	switch v.kind {
	case TypeBool:
		return strconv.FormatBool(v.Bool())
	case TypeDistribution:
		return v.Distribution().String()
	case TypeUnspecified, TypeInt64, TypeDouble:
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
