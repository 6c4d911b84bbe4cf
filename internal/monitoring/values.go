package monitoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
)

// values are what a query gave.
type values struct {
	points  []analysis.Point
	trouble trouble
	note    string // why minutes may be without a point
}

// valuesOf reads an answer. More than one series is a mistake in the query: which of
// them is meant nobody can know, and the largest one need not be the worst. Of an
// answer that warns nothing is kept: a ratio whose half is missing may lie on either
// side of a limit.
func valuesOf(q rangeQuery, answer matrix) values {
	switch {
	case len(answer.Warnings) > 0:
		return values{trouble: trouble{cause: analysis.CausePartial, detail: google.Clean(strings.Join(answer.Warnings, "; "))}}
	case answer.Data.ResultType != "matrix":
		return wrong("an answer of the type %.40q, not a matrix", answer.Data.ResultType)
	case len(answer.Data.Result) > 1:
		return values{trouble: trouble{cause: analysis.CauseInvalid, detail: fmt.Sprintf(
			"it gives %d series: aggregate to one, for example with sum(...)", len(answer.Data.Result))}}
	case len(answer.Data.Result) == 0:
		return values{}
	}
	var v values
	unusable := 0
	for _, pair := range answer.Data.Result[0].Values {
		point, err := pointOf(q, pair)
		switch {
		case err != nil:
			return wrong("%s", err.Error())
		case math.IsNaN(point.Number) || math.IsInf(point.Number, 0):
			unusable++
		default:
			v.points = append(v.points, point)
		}
	}
	slices.SortFunc(v.points, func(a, b analysis.Point) int { return a.End.Compare(b.End) })
	for i := 1; i < len(v.points); i++ {
		if v.points[i].End.Equal(v.points[i-1].End) {
			return wrong("two values for one minute")
		}
	}
	if unusable > 0 {
		v.note = fmt.Sprintf("%d minutes are no number, such as after a division by zero", unusable)
	}
	return v
}

func wrong(format string, args ...any) values {
	return values{trouble: trouble{cause: analysis.CauseWrongType, detail: google.Clean(fmt.Sprintf(format, args...))}}
}

// pointOf reads a value and its time: seconds as a number, and the value as a text.
func pointOf(q rangeQuery, pair [2]json.RawMessage) (analysis.Point, error) {
	var seconds float64
	var text string
	if json.Unmarshal(pair[0], &seconds) != nil || json.Unmarshal(pair[1], &text) != nil {
		return analysis.Point{}, errors.New("a point that is no time and text")
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(number, 0) {
		return analysis.Point{}, fmt.Errorf("a value %.40q that is no number", text)
	}
	if math.Abs(seconds) > math.MaxInt32*2 || seconds != math.Trunc(seconds) {
		return analysis.Point{}, errors.New("a point within a second")
	}
	end := time.Unix(int64(seconds), 0).UTC()
	if !end.Equal(end.Truncate(time.Minute)) || !end.After(q.after) || end.After(q.through) {
		return analysis.Point{}, fmt.Errorf("a point at a time that was not asked for, %s", end.Format(time.RFC3339))
	}
	return analysis.Point{End: end, Number: number}, nil
}
