package cloudrun

import (
	"net/http"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestAServiceSaysHowFarTheClocksAreApart(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) string { return noon.Add(d).Format(http.TimeFormat) }
	for name, c := range map[string]struct {
		date    string
		latency time.Duration
		want    time.Duration
	}{
		"the same second":                          {at(0), 0, 0},
		"the second before, which lasts until now": {at(-time.Second), 0, 0},
		"dated while the call was under way":       {at(5 * time.Second), 10 * time.Second, 0},
		"a slow call explains ten seconds":         {at(10 * time.Second), 10 * time.Second, 0},
		"but not eleven":                           {at(11 * time.Second), 10 * time.Second, -time.Second},
		"behind by ten minutes":                    {at(10 * time.Minute), 0, -10 * time.Minute},
		"ahead by ten minutes, or a second more":   {at(-10*time.Minute - time.Second), 0, 10 * time.Minute},
		"a slow call makes nobody be ahead":        {at(-10*time.Minute - time.Second), time.Minute, 10 * time.Minute},
		"another zone":                             {"Sun, 01 Mar 2026 12:00:00 UTC", 0, 0},
		"no date":                                  {"", 0, 0},
		"no date that can be read":                 {"yesterday", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wall := clocktesting.NewFakePassiveClock(noon)
			client, err := New(t.Context(), Options{
				Endpoint: "http://127.0.0.1:8080", Timeout: time.Second, Clock: wall,
				Transport: &memory{script: func(req *http.Request) outcome {
					wall.SetTime(noon.Add(c.latency))
					return answering(http.StatusOK, serviceJSON, "Date", c.date)(req)
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.Service(t.Context(), web)
			if err != nil {
				t.Fatal(err)
			}
			if got.Skew != c.want {
				t.Errorf("%v apart, want %v", got.Skew, c.want)
			}
		})
	}
}

func TestWithoutAClockNothingIsCompared(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, answering(http.StatusOK, serviceJSON, "Date", noon.Format(http.TimeFormat)))
	if got, err := client.Service(t.Context(), web); err != nil || got.Skew != 0 {
		t.Errorf("%v apart, %v", got.Skew, err)
	}
}

// TestTheSkewIsNeverOverstated: whatever the latency and wherever in it the answer
// was written, no more is measured than is true, and nothing of the other sign.
func TestTheSkewIsNeverOverstated(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ahead := time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "ahead"))
		before := time.Duration(rapid.Int64Range(0, 2e10).Draw(t, "before"))
		after := time.Duration(rapid.Int64Range(0, 2e10).Draw(t, "after"))
		written := noon.Add(time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "written")))
		got := skew(written.Add(ahead-before), written.Add(ahead+after), written.Format(http.TimeFormat))
		if got.Abs() > ahead.Abs() || got > 0 && ahead < 0 || got < 0 && ahead > 0 {
			t.Errorf("%v measured, %v true", got, ahead)
		}
		if ahead.Abs()-got.Abs() > before+after+time.Second {
			t.Errorf("%v measured of %v, with %v of latency", got, ahead, before+after)
		}
	})
}

func TestAListSaysItToo(t *testing.T) {
	t.Parallel()
	client, err := New(t.Context(), Options{
		Endpoint: "http://127.0.0.1:8080", Timeout: time.Second, Clock: clocktesting.NewFakePassiveClock(noon),
		Transport: &memory{script: answering(http.StatusOK, `{"services": [`+serviceJSON+`]}`, "Date", noon.Add(time.Hour).Format(http.TimeFormat))},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, err := NewWatch(client, func(error) {}).Listed(t.Context(), web, noon, time.Minute); !ok || err != nil || got.Skew != -time.Hour {
		t.Errorf("listed %t, %v apart, want an hour behind", ok, got.Skew)
	}
}
