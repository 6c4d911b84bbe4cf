package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// tenASeed plays nothing: each seed has ten rollouts, and ways back of some seconds.
func tenASeed(_ context.Context, o soak.Options) (soak.Report, error) {
	seeds := (o.Rollouts + 9) / 10
	return soak.Report{
		Seeds:    []soak.Range{{From: o.From, To: o.From + uint64(seeds) - 1}},
		Rollouts: 10 * seeds, Backs: soak.Latencies{15: seeds}, Took: time.Minute,
	}, nil
}

// TestALongRangeGoesOnWhereItWasInterrupted: nothing is played twice, nothing left out.
func TestALongRangeGoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "reports")
	plays := 0
	interrupted := func(ctx context.Context, o soak.Options) (soak.Report, error) {
		if plays++; plays == 2 {
			o.Rollouts = 50 // as far as it came
			r, _ := tenASeed(ctx, o)
			return r, context.Canceled
		}
		return tenASeed(ctx, o)
	}
	o := soak.Options{From: 7, Rollouts: 3 * part}
	r, err := inParts(t.Context(), dir, "abc", o, interrupted)
	if !errors.Is(err, context.Canceled) || r.Rollouts != part+50 {
		t.Fatalf("interrupted, there are %d rollouts: %v", r.Rollouts, err)
	}
	r, err = inParts(t.Context(), dir, "abc", o, tenASeed)
	if err != nil || r.Rollouts != 3*part || len(r.Seeds) != 1 || r.Seeds[0] != (soak.Range{From: 7, To: 7 + 3*part/10 - 1}) {
		t.Errorf("in the end there are %d rollouts of seeds %v: %v", r.Rollouts, r.Seeds, err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if sum, err := added(files); len(files) != 4 || err != nil || sum.Rollouts != 3*part || sum.Backs[15] != 3*part/10 {
		t.Errorf("%d reports add up to %+v: %v", len(files), sum, err)
	}
	never := func(context.Context, soak.Options) (soak.Report, error) {
		return soak.Report{}, errors.New("played again")
	}
	if _, err := inParts(t.Context(), dir, "abc", o, never); err != nil {
		t.Error(err)
	}
}

// TestReportsThatDoNotBelongTogether are refused, with what to do instead.
func TestReportsThatDoNotBelongTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := soak.Options{From: 1, Rollouts: 100}
	if _, err := inParts(t.Context(), dir, "abc", o, tenASeed); err != nil {
		t.Fatal(err)
	}
	later := o
	later.From = 5
	for what, err := range map[string]error{
		"name another directory": second(inParts(t.Context(), dir, "def", o, tenASeed)),
		"without a gap":          second(inParts(t.Context(), dir, "abc", later, tenASeed)),
		"commit first":           second(inParts(t.Context(), dir, "abc, changed", o, tenASeed)),
		"no reports":             second(added(nil)),
		"reading the report":     second(added([]string{filepath.Join(dir, "none.json")})),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "odd.json"), []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := inParts(t.Context(), dir, "abc", o, tenASeed); err == nil || !strings.Contains(err.Error(), "odd.json") {
		t.Errorf("a file that is no report: %v", err)
	}
}

func second(_ soak.Report, err error) error { return err }
