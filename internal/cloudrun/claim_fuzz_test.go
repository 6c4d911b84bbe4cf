package cloudrun

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// FuzzClaims reads any text as a claim: it is ours only if it names our cluster and
// our object to the letter, and what was read is written and read again the same.
func FuzzClaims(f *testing.F) {
	ours := rollout.Claim{
		Holder:  rollout.Holder{Cluster: "5b0f8e6a-cluster", Namespace: "shop", Name: "web", UID: "9e107d9d-object"},
		Attempt: 3, Seq: 12, Stable: "web-1", Latched: []string{"web-0"},
	}
	own := claimed(ours, nil)[ClaimKey]
	f.Add(own)
	f.Add(strings.Replace(own, `"seq":12`, `"seq":-12`, 1))
	f.Add(strings.Replace(own, `-object"`, `-object "`, 1))
	f.Add(strings.Replace(own, `-object"`, `\u0000-object"`, 1))
	f.Add(strings.Replace(own, `{`, `{"uid":"another","UID":"third","more":[{}],`, 1))
	f.Add(`{"cluster":"c","uid":"u","since":"yesterday","latched":[null,"` + strings.Repeat("x", 64) + `"]}`)
	f.Add(own[:len(own)/2])
	f.Add("null")
	f.Fuzz(func(t *testing.T, text string) {
		c, unread := claimOf(map[string]string{ClaimKey: text})
		if (c == nil) == (unread == "") {
			t.Fatalf("claim %v, unread %q", c, unread)
		}
		if c == nil {
			return
		}
		if c.Cluster == "" || c.UID == "" || c.Seq < 0 || c.Attempt < 0 {
			t.Fatalf("a claim without a holder: %+v", c)
		}
		if c.Cluster == ours.Cluster && c.UID == ours.UID && (!says(text, "cluster", ours.Cluster) || !says(text, "uid", ours.UID)) {
			t.Fatalf("%q is taken for ours", text)
		}
		again, unread := claimOf(claimed(*c, nil))
		if diff := cmp.Diff(c, again); diff != "" || unread != "" {
			t.Fatalf("written and read again, unread %q (-want +got):\n%s", unread, diff)
		}
	})
}

// says is a second reading of a claim: whether a field of it has a value, to the
// letter. Go reads the names of fields whatever their case.
func says(text, field, value string) bool {
	var fields map[string]any
	if json.Unmarshal([]byte(text), &fields) != nil {
		return false
	}
	for name, is := range fields {
		if strings.EqualFold(name, field) && is == value {
			return true
		}
	}
	return false
}
