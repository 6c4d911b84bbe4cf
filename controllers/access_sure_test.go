package controllers

import (
	"context"
	"errors"
	"testing"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// TestATemplateIsSureOfItsAccess: it is asked for by its name, once, and what speaks against
// it is decided on.
func TestATemplateIsSureOfItsAccess(t *testing.T) {
	t.Parallel()
	deploy, err := rollout.NewDeploy("etag", 7, rollout.Template{Digest: "0123456789abcdef", JSON: "{}"})
	if err != nil {
		t.Fatal(err)
	}
	away := errors.New("the apiserver does not answer")
	found := rollout.Service{Presence: rollout.Found}
	denied := rollout.Service{Presence: rollout.Denied, Detail: "no CloudRunAccess", Remedy: "Write one."}
	for name, c := range map[string]struct {
		d      rollout.Decision
		of     rollout.Service
		why    string
		err    error
		asked  int
		sends  bool
		serves rollout.Presence
	}{
		"what sends nothing asks nobody":      {rollout.Decision{}, denied, "", away, 0, false, rollout.Found},
		"a template that may go":              {rollout.Decision{Deploy: deploy}, found, "", nil, 1, true, rollout.Found},
		"one that may not":                    {rollout.Decision{Deploy: deploy}, found, "its image is not listed", nil, 1, false, rollout.Found},
		"one of a service that is taken away": {rollout.Decision{Deploy: deploy}, denied, "", nil, 1, false, rollout.Denied},
		"one of which nobody can say":         {rollout.Decision{Deploy: deploy}, found, "", away, 1, false, rollout.Found},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, asked := rollout.Input{Service: found}, 0
			in.Plan.Service = webRef
			cloud := Cloud{StillMay: func(_ context.Context, ref rollout.ServiceRef, sent rollout.Template) (rollout.Service, string, error) {
				if asked++; ref != webRef || sent != deploy.Template() {
					t.Errorf("asked for %v of %v", sent, ref)
				}
				return c.of, c.why, c.err
			}}
			d := sureAccess(t.Context(), cloud, &in, c.d)
			if asked != c.asked || (d.Deploy != nil) != c.sends {
				t.Errorf("asked %d times, and sends %v", asked, d.Deploy)
			}
			if in.Undeployable != c.why || in.Service.Presence != c.serves || in.Hours.Shut != (c.err != nil && c.asked > 0) {
				t.Errorf("decided on a service that is %s, %q, and %+v", in.Service.Presence, in.Undeployable, in.Hours)
			}
		})
	}
	if d := sureAccess(t.Context(), Cloud{}, &rollout.Input{}, rollout.Decision{Deploy: deploy}); d.Deploy == nil {
		t.Error("where nobody is to be asked it is not sent")
	}
}
