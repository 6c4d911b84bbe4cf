package configconnector

import (
	"slices"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// target is one entry of spec.traffic. Percent is nil where it is not written.
type target struct {
	Type     string `json:"type,omitempty"`
	Revision string `json:"revision,omitempty"`
	Tag      string `json:"tag,omitempty"`
	Percent  *int   `json:"percent,omitempty"`
}

func (t target) percent() int {
	if t.Percent == nil {
		return 0
	}
	return *t.Percent
}

func (t target) same(other target) bool {
	return t.Type == other.Type && t.Revision == other.Revision && t.Tag == other.Tag && t.percent() == other.percent()
}

func targetsOf(live []simulator.TrafficTarget) []target {
	list := make([]target, 0, len(live))
	for _, t := range live {
		one := target{Type: t.Type, Revision: t.Revision, Tag: t.Tag}
		if t.Percent != 0 { // the API leaves zero out
			one.Percent = &t.Percent
		}
		list = append(list, one)
	}
	return list
}

// planned is what Terraform sends for a list, and whether that differs from what is
// live. The list is compared by position. A percent that is not written keeps the
// one at its position, since the field is computed where it is not configured; a
// type that is not written differs from one that is there (run with
// terraform-plugin-sdk 2.24.0 and the schema of google_cloud_run_v2_service).
func planned(live, wanted []target) (plan []target, differs bool) {
	if len(wanted) == 0 {
		return live, false
	}
	plan = slices.Clone(wanted)
	for i := range plan {
		if plan[i].Percent == nil && i < len(live) {
			plan[i].Percent = live[i].Percent
		}
	}
	return plan, !slices.EqualFunc(plan, live, target.same)
}
