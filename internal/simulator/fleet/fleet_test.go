package fleet

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestPacketsAreSentAgainLaterAndLater(t *testing.T) {
	t.Parallel()
	var got []float64
	for n := 1; n <= 5; n++ {
		got = append(got, resend(n))
	}
	if want := []float64{1, 3, 7, 15, 31}; !slices.Equal(got, want) {
		t.Errorf("after %v seconds, want %v", got, want)
	}
}

func TestDrawsAreFair(t *testing.T) {
	t.Parallel()
	luck := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		n      int
		chance float64
	}{{1, 0.3}, {20, 0.5}, {1000, 0.01}, {1000, 0.4}, {5, 0}, {5, 1}, {0, 0.5}} {
		sum := 0.0
		const times = 4000
		for range times {
			got := draw(c.n, c.chance, luck.Float64, luck.NormFloat64)
			if got < 0 || got > c.n {
				t.Fatalf("%d of %d", got, c.n)
			}
			sum += float64(got)
		}
		mean, spread := float64(c.n)*c.chance, math.Sqrt(float64(c.n)*c.chance*(1-c.chance)/times)
		if math.Abs(sum/times-mean) > 5*spread+1e-9 {
			t.Errorf("%d with a chance of %v: on average %v, want %v", c.n, c.chance, sum/times, mean)
		}
	}
}

func TestTheNetworkOfANewInstanceIsLateAsMeasured(t *testing.T) {
	t.Parallel()
	f := &Fleet{luck: rand.New(rand.NewPCG(3, 4)), timing: Timing{Egress: 20 * time.Second}}
	var all []float64
	for range 10000 {
		all = append(all, f.stall())
	}
	slices.Sort(all)
	for _, c := range []struct {
		at          int
		least, most float64
	}{{5000, 19, 21}, {9000, 35, 37}, {9999, 41, 43}} {
		if got := all[c.at]; got < c.least || got > c.most {
			t.Errorf("quantile %d/10000 is %.1f s, want %v to %v", c.at, got, c.least, c.most)
		}
	}
}

func TestTheLoadIsThatOfTheLastMinute(t *testing.T) {
	t.Parallel()
	var l load
	for s := range 10 {
		l.add(s, 0)
	}
	if l.mean() != 0 {
		t.Errorf("%v before the first request", l.mean())
	}
	for s := 10; s < 20; s++ {
		l.add(s, 6)
	}
	if l.mean() != 6 {
		t.Errorf("%v; a young revision is judged by its youth", l.mean())
	}
	for s := 20; s < 75; s++ {
		l.add(s, 0)
	}
	if math.Abs(l.mean()-0.5) > 1e-9 {
		t.Errorf("%v; five seconds of 6 are left in the minute", l.mean())
	}
}
