package configconnector

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// owning is an entry of metadata.managedFields.
func owning(manager, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields)}
}

func TestWhatIsDesiredOfAService(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	list := func(revision string) []any { return []any{object{"revision": revision}} }
	live := object{"traffic": list("live"), "description": "live", "template": object{"revision": "web-1", "timeout": "300s"}}
	traffic := `{"f:spec":{"f:traffic":{}}}`
	for _, row := range []struct {
		says   string
		spec   object
		owners []metav1.ManagedFieldsEntry
		want   object
	}{
		{
			says: "traffic that is not in spec stays as it is live",
			spec: object{}, want: object{},
		}, {
			says: "traffic that only Config Connector owns is enforced, because lists are atomic",
			spec: object{"traffic": list("spec")}, owners: []metav1.ManagedFieldsEntry{owning(Manager, traffic)},
			want: object{"traffic": list("spec")},
		}, {
			says: "traffic that another manager owns is enforced",
			spec: object{"traffic": list("spec")}, owners: []metav1.ManagedFieldsEntry{owning("sluice/traffic", traffic)},
			want: object{"traffic": list("spec")},
		}, {
			says: "an empty list is no list",
			spec: object{"traffic": []any{}}, owners: []metav1.ManagedFieldsEntry{owning("sluice/traffic", traffic)},
			want: object{},
		}, {
			says: "a scalar that only Config Connector owns stays as it is live",
			spec: object{"description": "spec"}, owners: []metav1.ManagedFieldsEntry{owning(Manager, `{"f:spec":{"f:description":{}}}`)},
			want: object{},
		}, {
			says: "a scalar that a person owns is enforced",
			spec: object{"description": "spec"}, owners: []metav1.ManagedFieldsEntry{owning("kubectl", `{"f:spec":{"f:description":{}}}`)},
			want: object{"description": "spec"},
		}, {
			says: "a revision name that is live is kept beside containers that are new",
			spec: object{"template": object{"containers": list("new")}},
			owners: []metav1.ManagedFieldsEntry{
				owning("kubectl", `{"f:spec":{"f:template":{"f:containers":{}}}}`),
			},
			want: object{"template": object{"revision": "web-1", "timeout": "300s", "containers": list("new")}},
		}, {
			says: "a field of a person's is enforced beside one of Config Connector's",
			spec: object{"template": object{"timeout": "60s", "revision": "web-9"}},
			owners: []metav1.ManagedFieldsEntry{
				owning("kubectl", `{"f:spec":{"f:template":{"f:timeout":{}}}}`),
				owning(Manager, `{"f:spec":{"f:template":{"f:revision":{}}}}`),
			},
			want: object{"template": object{"revision": "web-1", "timeout": "60s"}},
		},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			owned, err := meant(row.owners)
			if err != nil {
				t.Fatal(err)
			}
			want := overlay(live, nil, nil)
			maps.Copy(want, row.want)
			if diff := cmp.Diff(want, overlay(live, row.spec, owned)); diff != "" {
				t.Errorf("desired (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTerraformMakesOfATrafficList(t *testing.T) {
	t.Parallel()
	const revision = simulator.AllocateRevision
	percent := func(n int) *int { return &n }
	live := []target{{Type: revision, Revision: "r1", Percent: percent(90)}, {Type: revision, Revision: "r2", Tag: "canary", Percent: percent(10)}}
	zero := []target{{Type: revision, Revision: "r1", Percent: percent(100)}, {Type: revision, Revision: "r2", Tag: "canary"}}
	for _, row := range []struct {
		says         string
		live, wanted []target
		plan         []target
		differs      bool
	}{
		{
			says: "a percent that is left out keeps the one at its position: 100 and 10",
			live: live, wanted: []target{{Type: revision, Revision: "r1", Percent: percent(100)}, {Type: revision, Revision: "r2", Tag: "canary"}},
			plan:    []target{{Type: revision, Revision: "r1", Percent: percent(100)}, {Type: revision, Revision: "r2", Tag: "canary", Percent: percent(10)}},
			differs: true,
		}, {
			says: "an explicit percent of 0 is 0",
			live: live, wanted: []target{{Type: revision, Revision: "r1", Percent: percent(100)}, {Type: revision, Revision: "r2", Tag: "canary", Percent: percent(0)}},
			plan:    []target{{Type: revision, Revision: "r1", Percent: percent(100)}, {Type: revision, Revision: "r2", Tag: "canary", Percent: percent(0)}},
			differs: true,
		}, {
			says: "a type that is left out differs from the one that is live",
			live: live, wanted: []target{{Revision: "r1", Percent: percent(90)}, {Revision: "r2", Tag: "canary", Percent: percent(10)}},
			plan:    []target{{Revision: "r1", Percent: percent(90)}, {Revision: "r2", Tag: "canary", Percent: percent(10)}},
			differs: true,
		}, {
			says: "another order of the same entries differs",
			live: live, wanted: []target{live[1], live[0]}, plan: []target{live[1], live[0]}, differs: true,
		}, {
			says: "0 that is written does not differ from 0 that the API leaves out",
			live: zero, wanted: []target{{Type: revision, Revision: "r1", Percent: percent(100)}, {Type: revision, Revision: "r2", Tag: "canary", Percent: percent(0)}},
			plan: []target{{Type: revision, Revision: "r1", Percent: percent(100)}, {Type: revision, Revision: "r2", Tag: "canary", Percent: percent(0)}},
		}, {
			says: "a list that is not written does not differ", live: live, plan: live,
		}, {
			says: "an entry can be dropped",
			live: live, wanted: []target{{Type: revision, Revision: "r1", Percent: percent(100)}},
			plan: []target{{Type: revision, Revision: "r1", Percent: percent(100)}}, differs: true,
		}, {
			says: "the same list does not differ", live: live, wanted: live, plan: live,
		},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			plan, differs := planned(row.live, row.wanted)
			if diff := cmp.Diff(row.plan, plan); diff != "" || differs != row.differs {
				t.Errorf("differs %v, want %v; plan (-want +got):\n%s", differs, row.differs, diff)
			}
		})
	}
}
