package controllers

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func TestRequestsAreReadFromAnnotations(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200)
	const badAttempt = "attempt must be the number in status.attempt.id, not "
	const badStep = "step must be the number before the slash in status.step, not "
	const unprinted = " is too long, or has characters that do not print: write it anew"
	const badRevision = "revision must be a revision's name, such as web-00042-k8c, not "
	cases := map[string]struct {
		fields map[string]string
		want   rollout.Request
	}{
		"none": {map[string]string{"step": "2", "by": "alice"}, rollout.Request{}},
		"every field": {
			map[string]string{
				"id": "7", "verb": "retry", "attempt": "3", "step": "2/4", "revision": "web-2", "by": "alice", "reason": "the database is back",
			},
			rollout.Request{ID: "7", Verb: rollout.Retry, Attempt: 3, Step: 2, Revision: "web-2", By: "alice", Reason: "the database is back"},
		},
		"a promote to the end, past the ceiling": {
			map[string]string{"id": "7", "verb": "promote", "attempt": "3", "step": "2", "mode": "full, override"},
			rollout.Request{ID: "7", Verb: rollout.Promote, Attempt: 3, Step: 2, Full: true, Override: true},
		},
		"a mode that there is not": {
			map[string]string{"id": "7", "verb": "promote", "attempt": "3", "step": "2", "mode": "force"},
			rollout.Request{ID: "7", Verb: rollout.Promote, Attempt: 3, Step: 2, Malformed: `mode must be full, override or both with a comma between them, not "force"`},
		},
		"a mode left behind by an earlier promote": {
			map[string]string{"id": "7", "verb": "abort", "mode": "force"}, rollout.Request{ID: "7", Verb: rollout.Abort, Step: -1},
		},
		"a verb as long as a sentence": {
			map[string]string{"id": "7", "verb": long},
			rollout.Request{ID: "7", Verb: rollout.Verb(long[:29] + "…"), Step: -1, Malformed: "verb" + unprinted},
		},
		"bound to nothing":     {map[string]string{"id": "7", "verb": "abort"}, rollout.Request{ID: "7", Verb: rollout.Abort, Step: -1}},
		"the step as a number": {map[string]string{"id": "7", "verb": "approve", "step": "0"}, rollout.Request{ID: "7", Verb: rollout.Approve}},
		"spaces around numbers": {
			map[string]string{"id": "7", "verb": " abort ", "attempt": " 3\n", "step": " 2 "},
			rollout.Request{ID: "7", Verb: rollout.Abort, Attempt: 3, Step: 2},
		},
		"an id without a verb is answered too": {map[string]string{"id": "7"}, rollout.Request{ID: "7", Step: -1}},
		"an attempt in words": {
			map[string]string{"id": "7", "verb": "abort", "attempt": "this"},
			rollout.Request{ID: "7", Verb: rollout.Abort, Step: -1, Malformed: badAttempt + `"this"`},
		},
		"attempt 0": {
			map[string]string{"id": "7", "verb": "abort", "attempt": "0"},
			rollout.Request{ID: "7", Verb: rollout.Abort, Step: -1, Malformed: badAttempt + `"0"`},
		},
		"a step below 0": {
			map[string]string{"id": "7", "verb": "abort", "step": "-1"},
			rollout.Request{ID: "7", Verb: rollout.Abort, Step: -1, Malformed: badStep + `"-1"`},
		},
		"a step out of range": {
			map[string]string{"id": "7", "verb": "abort", "step": "99999999999999999999/4"},
			rollout.Request{ID: "7", Verb: rollout.Abort, Step: 9223372036854775807, Malformed: badStep + `"99999999999999999999/4"`},
		},
		"a revision's full name": {
			map[string]string{"id": "7", "verb": "retry", "revision": " projects/" + long + "/locations/asia-northeast1/services/web/revisions/web-2\n"},
			rollout.Request{ID: "7", Verb: rollout.Retry, Step: -1, Revision: "web-2"},
		},
		"a name that no revision has": {
			map[string]string{"id": "7", "verb": "retry", "revision": "Web_2"},
			rollout.Request{ID: "7", Verb: rollout.Retry, Step: -1, Malformed: badRevision + `"Web_2"`},
		},
		"a path that is no revision's": {
			map[string]string{"id": "7", "verb": "abort", "revision": "revisions/web-2"},
			rollout.Request{ID: "7", Verb: rollout.Abort, Step: -1, Malformed: badRevision + `"revisions/web-2"`},
		},
		"a step that does not print": {
			map[string]string{"id": "7", "verb": "approve", "attempt": "3", "step": "\x10"},
			rollout.Request{ID: "7", Verb: rollout.Approve, Attempt: 3, Step: -1, Malformed: "step" + unprinted},
		},
		"a verb with a letter that does not print": {
			map[string]string{"id": "7", "verb": "ab\u200bort"},
			rollout.Request{ID: "7", Verb: rollout.Abort, Step: -1, Malformed: "verb" + unprinted},
		},
		"several lines and what a terminal would obey": {
			map[string]string{"id": "7", "verb": "abort", "by": "a\x1b[2Jlice", "reason": "one\r\n\ttwo\x00"},
			rollout.Request{ID: "7", Verb: rollout.Abort, Step: -1, By: "a[2Jlice", Reason: "one two"},
		},
		"too long": {
			map[string]string{"id": "7", "verb": "abort", "reason": long},
			rollout.Request{ID: "7", Verb: rollout.Abort, Step: -1, Reason: long[:125] + "…"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, requestOf(annotated(c.fields))); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func annotated(fields map[string]string) *v1alpha1.CloudRunRollout {
	ro := object()
	ro.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}"}
	for field, value := range fields {
		ro.Annotations["request.rollouts.sluice.dev/"+field] = value
	}
	return ro
}

func TestARequestWithoutAnIDGetsOneOfItsOwn(t *testing.T) {
	t.Parallel()
	abort := requestOf(annotated(map[string]string{"verb": "abort"})).ID
	if again := requestOf(annotated(map[string]string{"verb": "abort"})).ID; again != abort || !strings.HasPrefix(abort, "auto-") {
		t.Errorf("the same request is %q and %q", abort, again)
	}
	for name, other := range map[string]map[string]string{
		"verb": {"verb": "retry"}, "step": {"verb": "abort", "step": "1"}, "reason": {"verb": "abort", "reason": "1"},
	} {
		if id := requestOf(annotated(other)).ID; id == abort {
			t.Errorf("another %s has the same id", name)
		}
	}
}

func TestTheVerbsOfTheAPIAreThoseOfTheCore(t *testing.T) {
	t.Parallel()
	verbs := map[string]rollout.Verb{
		v1alpha1.VerbApprove: rollout.Approve, v1alpha1.VerbPromote: rollout.Promote, v1alpha1.VerbPause: rollout.VerbPause,
		v1alpha1.VerbResume: rollout.Resume, v1alpha1.VerbAbort: rollout.Abort, v1alpha1.VerbRetry: rollout.Retry,
		v1alpha1.VerbUndo: rollout.Undo, v1alpha1.VerbAdopt: rollout.Adopt,
	}
	if known := slices.Sorted(maps.Keys(verbs)); !slices.Equal(known, slices.Sorted(slices.Values(v1alpha1.Verbs))) {
		t.Errorf("the core has %v, the API %v", known, v1alpha1.Verbs)
	}
	for documented, core := range verbs {
		if documented != string(core) {
			t.Errorf("%q is %q in the core", documented, core)
		}
	}
}
