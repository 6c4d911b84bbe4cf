package simulator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The first part of the recorded etag of 25 April 2024 decodes to its updateTime.
func TestAnEtagIsMadeLikeTheRecordedOne(t *testing.T) {
	t.Parallel()
	updated := stamp(time.Date(2024, 4, 25, 1, 58, 35, 886_675_000, time.UTC))
	got := etagOf(updated, "projects/p/locations/l/services/s")
	if want := `"CMvxprEGELis5qYD/cHJvamVjdHMvcC9sb2NhdGlvbnMvbC9zZXJ2aWNlcy9z"`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// That of another recording, 01:37:16.528777, has the alphabet's "-".
	other := etagOf(stamp(time.Date(2024, 4, 25, 1, 37, 16, 528_777_000, time.UTC)), "")
	if want := `"CMznprEGEKj-kfwB/"`; other != want {
		t.Errorf("got  %s\nwant %s", other, want)
	}
	if v := etagVersion(got); v != updated.UnixMicro() {
		t.Errorf("read back it is %d, want %d", v, updated.UnixMicro())
	}
}

func TestEveryTimeSurvivesAnEtagAndJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := stamp(time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "micros")))
		if got := etagVersion(etagOf(at, "name")); got != at.UnixMicro() {
			t.Errorf("etag: %d became %d", at.UnixMicro(), got)
		}
		raw, err := json.Marshal(at)
		if err != nil {
			t.Fatal(err)
		}
		var again Timestamp
		if err := json.Unmarshal(raw, &again); err != nil || !again.Equal(at.Time) {
			t.Errorf("JSON: %s became %v, %v", raw, again, err)
		}
		if len(raw) != len(`"2006-01-02T15:04:05.000000Z"`) {
			t.Errorf("%s has not six fractional digits", raw)
		}
	})
}

func TestWhatIsNoEtagHasVersionZero(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", `""`, "old", `"/"`, `"!!/x"`, `"CP////////////////8B/x"`, `"GAE/x"`, `"CA/x"`} {
		if got := etagVersion(text); got != 0 {
			t.Errorf("%s has version %d", text, got)
		}
	}
	var at Timestamp
	if err := json.Unmarshal([]byte(`"noon"`), &at); err == nil || !strings.Contains(err.Error(), `reading timestamp "noon"`) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsDueAtTheSameTimeHappensInOrder(t *testing.T) {
	t.Parallel()
	var a agenda
	var got []int
	noon := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	for i, after := range []int{5, 1, 5, 3, 1} {
		a.add(noon.Add(time.Duration(after)*time.Second), func() { got = append(got, i) })
	}
	for a.Len() > 0 {
		p, _ := a.take()
		p.do()
	}
	for i, want := range []int{1, 4, 3, 0, 2} {
		if got[i] != want {
			t.Fatalf("the order was %v", got)
		}
	}
}

func TestChanceKeepsItsMean(t *testing.T) {
	t.Parallel()
	for _, mean := range []float64{0, 0.05, 1, 20, 29, 31, 500} {
		d, sum := newDice(1, "mean"), 0
		const draws = 20_000
		for range draws {
			sum += d.poisson(mean)
		}
		if got := float64(sum) / draws; got < mean*0.95-0.01 || got > mean*1.05+0.01 {
			t.Errorf("where %v are expected there were %v", mean, got)
		}
	}
}

func TestNamesAreReadStrictly(t *testing.T) {
	t.Parallel()
	if n, ok := parseServiceName("projects/p/locations/l/services/s"); !ok || n.String() != "projects/p/locations/l/services/s" {
		t.Errorf("got %v, %v", n, ok)
	}
	for _, name := range []string{"", "s", "projects/p/locations/l/services/", "projects//locations/l/services/s", "projects/p/locations/l/jobs/s", "projects/p/locations/l/services/s/x"} {
		if n, ok := parseServiceName(name); ok {
			t.Errorf("%q is read as %v", name, n)
		}
	}
}
