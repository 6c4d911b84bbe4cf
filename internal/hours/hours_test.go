package hours_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/hours"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// at reads a moment, with its offset from UTC.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse("2006-01-02T15:04Z07:00", text)
	if err != nil {
		t.Fatal(err)
	}
	return moment.UTC()
}

func window(t *testing.T, schedule string, duration time.Duration, zone string) hours.Window {
	t.Helper()
	w, err := hours.ParseWindow(schedule, duration, zone)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWindows: working hours in Tokyo are from midnight to eight in the morning in UTC.
func TestWindows(t *testing.T) {
	t.Parallel()
	work := []hours.Window{window(t, "0 9 * * 1-5", 8*time.Hour, "Asia/Tokyo")}
	night := slices.Concat(work, []hours.Window{window(t, "0 22 * * *", time.Hour, "Asia/Tokyo")})
	for name, c := range map[string]struct {
		windows []hours.Window
		now     string
		opens   string // "" while it is open
	}{
		"no window at all":              {nil, "2026-03-01T12:00Z", ""},
		"as it opens":                   {work, "2026-03-02T09:00+09:00", ""},
		"a moment before":               {work, "2026-03-02T08:59+09:00", "2026-03-02T09:00+09:00"},
		"its last minute":               {work, "2026-03-02T16:59+09:00", ""},
		"as it closes":                  {work, "2026-03-02T17:00+09:00", "2026-03-03T09:00+09:00"},
		"on Friday evening":             {work, "2026-03-06T18:00+09:00", "2026-03-09T09:00+09:00"},
		"in one of two":                 {night, "2026-03-07T22:30+09:00", ""},
		"between two":                   {night, "2026-03-02T18:00+09:00", "2026-03-02T22:00+09:00"},
		"a window longer than its pace": {[]hours.Window{window(t, "*/5 * * * *", time.Hour, "")}, "2026-03-02T18:03Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := rollout.Hours{}
			if c.opens != "" {
				want = rollout.Hours{Shut: true, Why: "outside of spec.strategy.windows", Opens: at(t, c.opens)}
			}
			if diff := cmp.Diff(want, hours.At(c.windows, nil, at(t, c.now))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestClocksThatAreChanged: in Berlin 2:00 to 3:00 is skipped on March 29 and comes twice
// on October 25, 2026.
func TestClocksThatAreChanged(t *testing.T) {
	t.Parallel()
	early := []hours.Window{window(t, "30 2 * * *", time.Hour, "Europe/Berlin")}
	work := []hours.Window{window(t, "0 1 * * *", 3*time.Hour, "Europe/Berlin")}
	for name, c := range map[string]struct {
		windows []hours.Window
		now     string
		open    bool
	}{
		"a beginning that is skipped opens nothing":     {early, "2026-03-29T03:15+02:00", false},
		"the day after is as always":                    {early, "2026-03-30T03:15+02:00", true},
		"one that comes twice opens at the first":       {early, "2026-10-25T02:45+02:00", true},
		"and at the second":                             {early, "2026-10-25T02:45+01:00", true},
		"until an hour after that":                      {early, "2026-10-25T03:29+01:00", true},
		"and not longer":                                {early, "2026-10-25T03:30+01:00", false},
		"a duration is elapsed time, in spring":         {work, "2026-03-29T04:59+02:00", true},
		"also where the local clock says one hour more": {work, "2026-03-29T05:00+02:00", false},
		"and in autumn":                                 {work, "2026-10-25T02:59+01:00", true},
		"where it says one hour less":                   {work, "2026-10-25T03:00+01:00", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := hours.At(c.windows, nil, at(t, c.now)); got.Shut == c.open {
				t.Errorf("%+v, want open: %v", got, c.open)
			}
		})
	}
}

func TestFreezes(t *testing.T) {
	t.Parallel()
	sale := hours.Freeze{Name: "sale", Reason: "no releases", Start: at(t, "2026-03-02T00:00Z"), End: at(t, "2026-03-03T06:00Z")}
	longer := hours.Freeze{Name: "audit", Reason: "ask ann", Start: at(t, "2026-03-02T12:00Z"), End: at(t, "2026-03-04T00:00Z")}
	work := []hours.Window{window(t, "0 9 * * *", 8*time.Hour, "")}
	for name, c := range map[string]struct {
		windows []hours.Window
		freezes []hours.Freeze
		now     string
		want    rollout.Hours
	}{
		"before it":   {nil, []hours.Freeze{sale}, "2026-03-01T23:59Z", rollout.Hours{}},
		"in it":       {nil, []hours.Freeze{sale}, "2026-03-02T00:00Z", rollout.Hours{Shut: true, Why: "RolloutFreeze sale until Mar 3 06:00Z: no releases", Opens: sale.End}},
		"as it ends":  {nil, []hours.Freeze{sale}, "2026-03-03T06:00Z", rollout.Hours{}},
		"in two":      {nil, []hours.Freeze{sale, longer}, "2026-03-02T13:00Z", rollout.Hours{Shut: true, Why: "RolloutFreeze audit until Mar 4 00:00Z: ask ann", Opens: longer.End}},
		"in a window": {work, []hours.Freeze{sale}, "2026-03-02T10:00Z", rollout.Hours{Shut: true, Why: "RolloutFreeze sale until Mar 3 06:00Z: no releases", Opens: at(t, "2026-03-03T09:00Z")}},
		"one that lasts over the next window": {
			work, []hours.Freeze{longer}, "2026-03-02T18:00Z", rollout.Hours{Shut: true, Why: "RolloutFreeze audit until Mar 4 00:00Z: ask ann", Opens: at(t, "2026-03-04T09:00Z")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, hours.At(c.windows, c.freezes, at(t, c.now))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestWhatIsSaidComesTrue: when it opens it is open, and it was shut until then.
func TestWhatIsSaidComesTrue(t *testing.T) {
	t.Parallel()
	windows := []hours.Window{window(t, "15 3,14 * * 2-6", 3*time.Hour, "America/New_York"), window(t, "0 12 1 * *", 30*time.Minute, "Asia/Kolkata")}
	freezes := []hours.Freeze{{Name: "f", Start: at(t, "2026-03-05T00:00Z"), End: at(t, "2026-03-19T09:30Z")}}
	begin := at(t, "2026-03-01T00:00Z")
	rapid.Check(t, func(t *rapid.T) {
		now := begin.Add(time.Duration(rapid.IntRange(0, 40*24*60).Draw(t, "minute")) * time.Minute)
		h := hours.At(windows, freezes, now)
		if !h.Shut {
			return
		}
		if hours.At(windows, freezes, h.Opens).Shut || !hours.At(windows, freezes, h.Opens.Add(-time.Minute)).Shut {
			t.Fatalf("at %s it is said to open at %s", now, h.Opens)
		}
	})
}

// TestWhatCannotBeRead: a window that cannot be meant is refused with what to write.
func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schedule string
		duration time.Duration
		zone     string
		want     string
	}{
		"no cron":            {"office hours", time.Hour, "", `write five cron fields, such as "0 9 * * 1-5"`},
		"seconds":            {"0 0 9 * * 1-5", time.Hour, "", "write five cron fields"},
		"a word for all":     {"@daily", time.Hour, "", "write five cron fields"},
		"a zone within":      {"TZ=Asia/Tokyo 0 9 * * *", time.Hour, "", "write the time zone into timeZone"},
		"a day that is none": {"0 9 30 2 *", time.Hour, "", "there is no such day"},
		"no time at all":     {"0 9 * * *", 0, "", "write 1m to 168h0m0s, not 0s"},
		"more than a week":   {"0 9 * * *", 169 * time.Hour, "", "write 1m to 168h0m0s"},
		"a zone of nowhere":  {"0 9 * * *", time.Hour, "Tokyo", "write a name such as Asia/Tokyo or Etc/UTC"},
		"a zone of here":     {"0 9 * * *", time.Hour, "Local", "write a name such as"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := hours.ParseWindow(c.schedule, c.duration, c.zone)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
