package pilot

import (
	"encoding/json"
	"maps"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// claimOf reads who moves a service's traffic, and the annotations of others. A
// claim that cannot be read is none.
func claimOf(annotations map[string]string) (*rollout.Claim, map[string]string) {
	text, ok := annotations[cloudrun.ClaimKey]
	if !ok {
		return nil, annotations
	}
	others := maps.Clone(annotations)
	delete(others, cloudrun.ClaimKey)
	var c rollout.Claim
	if json.Unmarshal([]byte(text), &c) != nil {
		return nil, others
	}
	return &c, others
}

// claimed are all the annotations of a write.
func claimed(c rollout.Claim, beside map[string]string) map[string]string {
	all := maps.Clone(beside)
	if all == nil {
		all = map[string]string{}
	}
	text, err := json.Marshal(c)
	if err != nil { // cannot be: strings, numbers and times
		text = nil
	}
	all[cloudrun.ClaimKey] = string(text)
	return all
}
