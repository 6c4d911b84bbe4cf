package simulator

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAPatchOfTrafficIsTheWayThroughJSON compares the shortcut with the way it stands for,
// on a service with annotations and without any.
func TestAPatchOfTrafficIsTheWayThroughJSON(t *testing.T) {
	t.Parallel()
	now := stamp(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	bare := Service{
		Name: "projects/acme/locations/r/services/web", Generation: 3, CreateTime: now, UpdateTime: now,
		Template: Template{
			Labels: map[string]string{"team": "web"}, Scaling: &RevisionScaling{MaxInstanceCount: 9}, VPCAccess: &VPCAccess{Egress: "ALL_TRAFFIC"},
			Containers: []Container{Container{Image: "web:1"}.withDefaults()},
		},
		Traffic: []TrafficTarget{{Type: AllocateLatest, Percent: 100}}, TrafficStatuses: []TrafficStatus{{Type: AllocateLatest, Percent: 100}},
		Conditions: []Condition{{Type: "RoutesReady", State: ConditionSucceeded, LastTransitionTime: now}}, Etag: etagOf(now, "web"),
	}
	annotated := bare.clone()
	annotated.Annotations = map[string]string{"team": "web", "tier": "1"}
	split := []TrafficTarget{{Type: AllocateRevision, Revision: "web-1", Percent: 100, Tag: "stable"}}
	emptied := bare.clone()
	emptied.Annotations = map[string]string{}
	for _, current := range []Service{bare, annotated, emptied} {
		for _, patch := range []Service{{}, {Traffic: split}, {Traffic: split, Annotations: map[string]string{"team": "shop"}}} {
			for _, mask := range [][]string{{"traffic"}, {"annotations"}, {"traffic", "annotations"}} {
				for _, how := range []string{"merged", "replaced"} {
					sw := Switches{MaskedAnnotations: how}
					want, err := throughJSON(current, patch, mask, sw)
					if err != nil {
						t.Fatal(err)
					}
					got, ok := moved(current, patch, mask, sw)
					if !ok || !reflect.DeepEqual(got, want) {
						t.Errorf("%v, %s: (-JSON +moved)\n%s", mask, how, cmp.Diff(want, got))
					}
				}
			}
		}
	}
}

// TestOtherPatchesTakeTheWayThroughJSON, also where only one field of them is another.
func TestOtherPatchesTakeTheWayThroughJSON(t *testing.T) {
	t.Parallel()
	for _, mask := range [][]string{{"template"}, {"traffic", "labels"}, {"annotations.team"}, {"*"}} {
		if _, ok := moved(Service{}, Service{}, mask, Switches{}); ok {
			t.Errorf("%v took the short way", mask)
		}
	}
}
