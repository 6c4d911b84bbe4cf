package kcc

import (
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// named is a service whose template names its revision.
func named(s *rollout.Service) { s.TemplateRevision = "web-2" }

func TestWhatARolloutShouldKnowBefore(t *testing.T) {
	t.Parallel()
	ownedBy := func(managers ...string) func(*RunService) {
		return func(r *RunService) {
			r.Owners = nil
			for _, m := range managers {
				r.Owners = append(r.Owners, Owner{Manager: m, Applies: true})
			}
		}
	}
	latest := []rollout.Entry{{Latest: true, Percent: 100}}
	for _, row := range []struct {
		says   string
		sight  Sight
		topic  Topic // "" for nothing at all
		blocks bool
		text   string
	}{
		{says: "nothing where all is well", sight: Sight{RunService: upToDate(), Live: serving(wanted)}},
		{says: "nothing where nobody owns traffic", sight: Sight{RunService: upToDate(silent, ownedBy()), Live: serving(former)}},
		{says: "nothing where Config Connector owns it: that is nobody's intent", sight: Sight{RunService: upToDate(ownedBy(connector)), Live: serving(wanted)}},
		{
			says:  "Config Sync owns it, and Git must let it go",
			sight: Sight{RunService: upToDate(ownedBy("configsync.gke.io")), Live: serving(wanted)},
			topic: TrafficOwned, blocks: true, text: `spec.traffic of RunService shop/web is owned by "configsync.gke.io": remove spec.traffic from the RunService in Git`,
		},
		{
			says:  "Argo CD owns it beside us",
			sight: Sight{RunService: upToDate(ownedBy(Manager, "argocd-controller")), Live: serving(wanted)},
			topic: TrafficOwned, blocks: true, text: "RespectIgnoreDifferences=true",
		},
		{
			says:  "somebody unknown owns it",
			sight: Sight{RunService: upToDate(ownedBy("team-tool")), Live: serving(wanted)},
			topic: TrafficOwned, blocks: true, text: `owned by "team-tool": remove spec.traffic of RunService shop/web from what it applies`,
		},
		{
			says: "it is being deleted", sight: Sight{RunService: upToDate(func(r *RunService) { r.Deleting = true }), Live: serving(wanted)},
			topic: BeingDeleted, blocks: true, text: "the service goes with it",
		},
		{
			says: "Config Connector is paused", sight: Sight{RunService: upToDate(), Live: serving(wanted), Settings: Settings{PausedBy: "the ConfigConnector of the cluster"}},
			topic: ActuationPaused, blocks: true, text: "paused by the ConfigConnector of the cluster",
		},
		{
			says: "its updates are refused", sight: Sight{RunService: upToDate(fails), Live: serving(wanted)},
			topic: UpdateRefused, blocks: true, text: "Revision named 'web-2'",
		},
		{
			says: "live traffic follows LATEST", sight: Sight{RunService: upToDate(silent), Live: serving(latest)},
			topic: FollowsLatest, text: "until it is pinned",
		},
		{
			says: "traffic in spec follows LATEST", sight: Sight{RunService: upToDate(func(r *RunService) { r.Traffic = latest }), Live: serving(former)},
			topic: FollowsLatest, text: "LATEST",
		},
		{
			says:  "a tag follows LATEST",
			sight: Sight{RunService: upToDate(silent), Live: serving([]rollout.Entry{former[0], {Latest: true, Tag: "newest"}})},
			topic: LatestTagged, blocks: true, text: "move it to a revision",
		},
		{
			says: "it is in merge mode", sight: Sight{RunService: upToDate(), Live: serving(wanted), Settings: Settings{Merges: true}},
			topic: MergesState, text: "cnrm.cloud.google.com/state-into-spec: absent",
		},
		{
			says: "the live template names its revision and spec does not", sight: Sight{RunService: upToDate(), Live: serving(wanted, named)},
			topic: RevisionNamed, text: "write a new spec.template.revision",
		},
		{
			says:  "nothing where spec names it too",
			sight: Sight{RunService: upToDate(func(r *RunService) { r.TemplateRevision = "web-2" }), Live: serving(wanted, named)},
		},
		{
			says: "whether it is paused is not known", sight: Sight{RunService: upToDate(), Live: serving(wanted), Settings: Settings{Unread: "forbidden"}},
			topic: SettingsUnread, text: "not known: forbidden",
		},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			findings := Preflight(row.sight)
			if row.topic == "" {
				if len(findings) != 0 {
					t.Errorf("findings %+v, want none", findings)
				}
				return
			}
			if len(findings) != 1 || findings[0].Topic != row.topic || findings[0].Blocks != row.blocks || !strings.Contains(findings[0].Text, row.text) {
				t.Errorf("findings %+v, want one of %s with %q", findings, row.topic, row.text)
			}
		})
	}
}

func TestTrafficThatIsNotClearMattersWhereItIsNotReplaced(t *testing.T) {
	t.Parallel()
	unclear := func(r *RunService) { r.Unclear = "spec.traffic[0] has no percent" }
	if findings := Preflight(Sight{RunService: upToDate(unclear), Live: serving(wanted)}); len(findings) != 0 {
		t.Errorf("findings %+v: the next write replaces it", findings)
	}
	theirs := upToDate(unclear, func(r *RunService) { r.Owners = []Owner{{Manager: "kubectl-edit"}} })
	findings := Preflight(Sight{RunService: theirs, Live: serving(wanted)})
	if len(findings) != 2 || findings[0].Topic != TrafficOwned || findings[1].Topic != TrafficUnclear {
		t.Errorf("findings %+v, want the owner and the list", findings)
	}
}

func TestWhoDecidesWhetherConfigConnectorActs(t *testing.T) {
	t.Parallel()
	inNamespaces := setting{"mode": namespaced}
	stopped := setting{"actuationMode": paused}
	for _, row := range []struct {
		says         string
		annotations  map[string]string
		cluster, own setting
		by           string
		merges       bool
	}{
		{says: "nobody says anything"},
		{says: "the cluster is paused", cluster: stopped, by: "the ConfigConnector of the cluster"},
		{says: "the namespace is paused", cluster: inNamespaces, own: stopped, by: "the ConfigConnectorContext of its namespace"},
		{says: "a namespace counts only in namespaced mode", cluster: setting{"mode": "cluster"}, own: stopped},
		{says: "the namespace wins over the cluster", cluster: setting{"mode": namespaced, "actuationMode": paused}, own: setting{"actuationMode": reconciling}},
		{says: "the object is paused", annotations: map[string]string{actuationMode: paused}, by: "its annotation " + actuationMode},
		{says: "the object wins over both", annotations: map[string]string{actuationMode: reconciling}, cluster: stopped, own: stopped},
		{says: "an annotation that is neither counts for nothing", annotations: map[string]string{actuationMode: "x"}, cluster: stopped, by: "the ConfigConnector of the cluster"},
		{says: "the object merges", annotations: map[string]string{stateIntoSpec: merge}, merges: true},
		{says: "the object does not, though the cluster does", annotations: map[string]string{stateIntoSpec: "absent"}, cluster: setting{"stateIntoSpec": "Merge"}},
		{says: "the namespace merges", own: setting{"stateIntoSpec": "Merge"}, merges: true},
		{says: "the namespace does not, though the cluster does", own: setting{"stateIntoSpec": "Absent"}, cluster: setting{"stateIntoSpec": "Merge"}},
		{says: "the cluster merges", cluster: setting{"stateIntoSpec": "Merge"}, merges: true},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			if got := decided(row.annotations, row.cluster, row.own); got.PausedBy != row.by || got.Merges != row.merges {
				t.Errorf("settings %+v, want paused by %q, merges %v", got, row.by, row.merges)
			}
		})
	}
}
