package analysis

import "testing"

func TestASingleMinuteIsNamedAsOne(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		lastMinutes(1):           "the last minute",
		lastMinutes(5):           "the last 5 minutes",
		inMinutes(0, 5):          "in 0 of the last 5 minutes",
		inMinutes(2, 5):          "in 2 of the last 5 minutes",
		inMinutes(1, 1):          "in the last minute",
		inMinutes(0, 1):          "in no minute so far",
		among(" in the last", 1): "",
		among(" in 2", 7):        " in 2 of 7 minutes",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
