package kcc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

type object = map[string]any

func TestEntriesAreWrittenInFullAndInTheirOrder(t *testing.T) {
	t.Parallel()
	list, err := written([]rollout.Entry{
		{Revision: "web-2", Percent: 5}, {Revision: "web-1", Percent: 95, Tag: rollout.Tag}, {Revision: "web-0", Tag: "blue"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []any{
		object{"type": toRevision, "revision": "web-2", "percent": int64(5)},
		object{"type": toRevision, "revision": "web-1", "percent": int64(95), "tag": rollout.Tag},
		object{"type": toRevision, "revision": "web-0", "percent": int64(0), "tag": "blue"},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("spec.traffic (-want +got):\n%s", diff)
	}
}

func TestWhatIsNeverWritten(t *testing.T) {
	t.Parallel()
	for says, row := range map[string]struct {
		entries []rollout.Entry
		want    string
	}{
		"no entry at all, which means everything to the latest": {nil, "without an entry"},
		"a share of LATEST": {[]rollout.Entry{{Latest: true, Percent: 100}}, "follows LATEST"},
		"a tag on LATEST":   {[]rollout.Entry{{Revision: "web-1", Percent: 100}, {Latest: true, Tag: "newest"}}, `tag "newest"`},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			if list, err := written(row.entries); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("written %v, error %v; want an error with %q", list, err, row.want)
			}
		})
	}
}

func TestSpecTrafficIsReadAsEntries(t *testing.T) {
	t.Parallel()
	full := object{"type": toRevision, "revision": "web-1", "percent": int64(100)}
	for _, row := range []struct {
		says    string
		list    []any
		want    []rollout.Entry
		unclear string
	}{
		{says: "no list is no traffic"},
		{says: "an empty list is no traffic", list: []any{}},
		{says: "a full entry", list: []any{full}, want: []rollout.Entry{{Revision: "web-1", Percent: 100}}},
		{
			says: "a full name becomes the short one",
			list: []any{object{"type": toRevision, "revision": "projects/p/locations/l/services/web/revisions/web-1", "percent": int64(100)}},
			want: []rollout.Entry{{Revision: "web-1", Percent: 100}},
		},
		{
			says: "an entry that follows LATEST", list: []any{object{"type": toLatest, "percent": int64(100)}},
			want: []rollout.Entry{{Latest: true, Percent: 100}},
		},
		{
			says: "without a percent it is not clear", list: []any{full, object{"type": toRevision, "revision": "web-2", "tag": "canary"}},
			want: []rollout.Entry{{Revision: "web-1", Percent: 100}, {Revision: "web-2", Tag: "canary"}}, unclear: "spec.traffic[1] has no percent",
		},
		{
			says: "without a type it is not clear", list: []any{object{"revision": "web-1", "percent": int64(100)}},
			want: []rollout.Entry{{Revision: "web-1", Percent: 100}}, unclear: "spec.traffic[0] has no type",
		},
		{
			says: "what is no entry is not clear", list: []any{"web-1"}, want: []rollout.Entry{{}}, unclear: "spec.traffic[0]",
		},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			got := readTraffic(object{"traffic": row.list})
			if diff := cmp.Diff(row.want, got.entries); diff != "" || !strings.HasPrefix(got.unclear, row.unclear) || (row.unclear == "") != (got.unclear == "") {
				t.Errorf("unclear %q, want %q; entries (-want +got):\n%s", got.unclear, row.unclear, diff)
			}
		})
	}
}
