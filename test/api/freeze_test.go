package api_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestAFreezeSaysWhenAndWhy: without that nobody could tell what they wait for.
func TestAFreezeSaysWhenAndWhy(t *testing.T) {
	client, err := dynamic.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	freezes := client.Resource(v1alpha1.GroupVersion.WithResource("rolloutfreezes"))
	const head = "apiVersion: rollouts.sluice.dev/v1alpha1\nkind: RolloutFreeze\nmetadata: {name: year-end}\n"
	for spec, says := range map[string]string{
		`{start: "2026-12-24T00:00:00+09:00", end: "2027-01-04T00:00:00+09:00", reason: year end}`:                    "",
		`{start: "2026-12-24T00:00:00Z", end: "2026-12-24T00:00:01Z", namespaces: [shop, bank], reason: year end}`:    "",
		`{start: "2026-12-24T00:00:00Z", end: "2026-12-24T00:00:00Z", reason: year end}`:                              "spec.end: Invalid value: end must be later than start",
		`{start: "2026-12-24T09:00:00+09:00", end: "2026-12-23T23:59:59Z", reason: year end}`:                         "end must be later than start",
		`{start: "2026-12-24", end: "2027-01-04T00:00:00Z", reason: year end}`:                                        "spec.start",
		`{start: "2026-12-24T00:00:00Z", end: "2027-01-04T00:00:00Z"}`:                                                "spec.reason: Required",
		`{start: "2026-12-24T00:00:00Z", end: "2027-01-04T00:00:00Z", reason: year end, namespaces: ["*"]}`:           "remove namespaces to freeze all",
		`{start: "2026-12-24T00:00:00Z", end: "2027-01-04T00:00:00Z", reason: year end, namespaces: ["shop-*"]}`:      "a namespace is an exact name such as shop",
		`{start: "2026-12-24T00:00:00Z", end: "2027-01-04T00:00:00Z", reason: year end, namespaces: []}`:              "spec.namespaces",
		`{start: "2026-12-24T00:00:00Z", end: "2027-01-04T00:00:00Z", reason: year end, namespaces: [shop, shop]}`:    "Duplicate value",
		`{start: "2026-12-24T00:00:00Z", end: "2027-01-04T00:00:00Z", reason: "` + strings.Repeat("very ", 50) + `"}`: "spec.reason",
	} {
		freeze := parse(t, head+"spec: "+spec)
		_, err := freezes.Create(t.Context(), freeze, metav1.CreateOptions{
			DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict,
		})
		agree(t, freeze, err)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", spec, err, says)
		}
	}
}
