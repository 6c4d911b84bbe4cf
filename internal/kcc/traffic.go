package kcc

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// written writes entries as spec.traffic, in the order given. Every field that
// means something is there: Terraform compares the list by position, keeps the old
// percent where none is written, and sends an entry without a type for ever.
func written(entries []rollout.Entry) ([]any, error) {
	if len(entries) == 0 {
		return nil, errors.New("spec.traffic without an entry")
	}
	list := make([]any, 0, len(entries))
	for _, e := range entries {
		if e.Latest || e.Revision == "" {
			return nil, fmt.Errorf("an entry with the tag %q follows LATEST, which is never written to a %s: move the tag to a revision, or remove it", e.Tag, kind)
		}
		target := map[string]any{"type": toRevision, "revision": e.Revision, "percent": e.Percent}
		if e.Tag != "" {
			target["tag"] = e.Tag
		}
		list = append(list, target)
	}
	return list, nil
}

// traffic is spec.traffic as it stands.
type traffic struct {
	entries []rollout.Entry // short names; empty where spec has no traffic
	// unclear is why nobody can say what it asks for.
	unclear string
}

// readTraffic reads spec.traffic. An empty list is none to Config Connector
// (pkg/k8s/managedfields.go).
func readTraffic(spec map[string]any) traffic {
	list, _ := spec["traffic"].([]any)
	var t traffic
	for i, one := range list {
		target, _ := one.(map[string]any)
		entry, why := readEntry(target)
		if why != "" {
			t.unclear = fmt.Sprintf("spec.traffic[%d] %s", i, why)
		}
		t.entries = append(t.entries, entry)
	}
	return t
}

// readEntry reads one entry, and says what is missing in it.
func readEntry(target map[string]any) (entry rollout.Entry, why string) {
	percent, written := target["percent"].(int64)
	revision, _ := target["revision"].(string)
	tag, _ := target["tag"].(string)
	entry = rollout.Entry{Revision: shortName(revision), Percent: percent, Tag: tag}
	switch target["type"] {
	case toLatest:
		entry.Latest, entry.Revision = true, ""
	case toRevision:
	default:
		why = "has no type that is known: it is sent to Cloud Run at every look"
	}
	if !written {
		why = "has no percent: it keeps whatever stands at its position"
	}
	return entry, why
}

// follows tells whether a part of the traffic moves by itself to every new revision.
func follows(entries []rollout.Entry) bool {
	return slices.ContainsFunc(entries, func(e rollout.Entry) bool { return e.Latest && e.Percent > 0 })
}

// tagsLatest tells whether a tag moves by itself to every new revision.
func tagsLatest(entries []rollout.Entry) bool {
	return slices.ContainsFunc(entries, func(e rollout.Entry) bool { return e.Latest && e.Tag != "" })
}

// sums is who has how much, "LATEST" for what follows the latest revision.
func sums(entries []rollout.Entry) map[string]int64 {
	split := map[string]int64{}
	for _, e := range entries {
		name := e.Revision
		if e.Latest {
			name = "LATEST"
		}
		if e.Percent > 0 {
			split[name] += e.Percent
		}
	}
	return split
}

// sameSplit tells whether two lists give everybody the same.
func sameSplit(a, b []rollout.Entry) bool { return maps.Equal(sums(a), sums(b)) }

// describe writes a list for people.
func describe(entries []rollout.Entry) string {
	return google.Clean(rollout.NewSplit(sums(entries)).String())
}

// shortName is what follows the last slash: status names revisions in full, spec
// takes the short name.
func shortName(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// says tells whether spec.traffic is such a list already, to the letter, and ours.
func (r RunService) says(list []any) bool {
	_, applied := ours(r.Owners)
	return applied && reflect.DeepEqual(r.list, list)
}
