package pilot

import (
	"encoding/json"
	"maps"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// claimOf reads who moves a service's traffic, and the annotations of others.
func (s Senses) claimOf(annotations map[string]string) (*rollout.Claim, map[string]string) {
	text, ok := annotations[cloudrun.ClaimKey]
	if !ok {
		return nil, annotations
	}
	others := maps.Clone(annotations)
	delete(others, cloudrun.ClaimKey)
	if s.claim == nil {
		return readClaim(text), others
	}
	if s.claim.text != text {
		*s.claim = claim{text, readClaim(text)}
	}
	return s.claim.read, others
}

// claim is the newest claim that was read. Most reads find it again.
type claim struct {
	text string
	read *rollout.Claim // nobody changes it
}

// readClaim reads a claim. One that cannot be read is none.
func readClaim(text string) *rollout.Claim {
	c := &rollout.Claim{}
	if json.Unmarshal([]byte(text), c) != nil {
		return nil
	}
	return c
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
