package cloudrun

import (
	"net/http"
	"strings"
	"testing"

	run "google.golang.org/api/run/v2"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// TestTheVariableThatHoldsTheServicesOwnURL: its name, and nothing of its value.
func TestTheVariableThatHoldsTheServicesOwnURL(t *testing.T) {
	t.Parallel()
	const revision = "projects/shop/locations/europe-west1/services/web/revisions/web-2"
	for value, want := range map[string]string{
		"https://web-abcdefghij-ew.a.run.app":              "SELF",
		"https://web-123456789012.europe-west1.run.app/ap": "SELF",
		"graphql=https://web-abcdefghij-ew.a.run.app,x":    "SELF",
		"https://web-admin-abcdefghij-ew.a.run.app":        "",
		"https://admin-web-abcdefghij-ew.a.run.app":        "",
		"https://api-123456789012.europe-west1.run.app":    "",
		"https://web.example.com":                          "",
		"http://127.0.0.1:8080":                            "",
		"":                                                 "",
	} {
		containers := []*run.GoogleCloudRunV2Container{
			nil, {Env: []*run.GoogleCloudRunV2EnvVar{nil, {Name: "OTHER", Value: "hunter2"}, {Name: "SELF", Value: value}}},
		}
		if got := ownURL(revision, containers); got != want {
			t.Errorf("of %q it tells %q, want %q", value, got, want)
		}
	}
	long := []*run.GoogleCloudRunV2Container{{Env: []*run.GoogleCloudRunV2EnvVar{
		{Name: strings.Repeat("X", 5000), Value: "https://web-abcdefghij-ew.a.run.app"},
	}}}
	if got := ownURL(revision, long); len(got) != longestVariable {
		t.Errorf("a long name is told with %d bytes", len(got))
	}
	if got := ownURL("web-2", long); got != "" {
		t.Errorf("without a service it tells %q", got)
	}
}

func TestWhatElseIsReadOfARevision(t *testing.T) {
	t.Parallel()
	body := replaced(t, revisionJSON, `"containers": [`,
		`"sessionAffinity": true, "scaling": {"minInstanceCount": 3, "maxInstanceCount": 7}, "volumes": [null, {"name": "sql", "cloudSqlInstance": {"instances": ["a"]}}], "containers": [`)
	client, _ := dial(t, answering(http.StatusOK, body))
	got, err := client.Revisions(t.Context(), web, []string{"web-2"})
	r := got["web-2"]
	if err != nil || r.MinInstances != 3 || r.MaxInstances != 7 || !r.CloudSQL || !r.SessionAffinity || r.OwnURL != "" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestWhoKeepsAServiceAndWhatItsTemplateNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, keeper, revision string }{
		"nobody, and nothing":     {serviceJSON, "", ""},
		"Config Connector":        {`"labels": {"managed-by-cnrm": "true"}, `, "Config Connector", ""},
		"no longer":               {`"labels": {"managed-by-cnrm": "false"}, `, "", ""},
		"a revision":              {`"template": {"revision": "web-9"}, `, "", "web-9"},
		"a template without name": {`"template": {}, `, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := c.body
			if body != serviceJSON {
				body = replaced(t, serviceJSON, `"uid": `, c.body+`"uid": `)
			}
			client, _ := dial(t, answering(http.StatusOK, body))
			got, err := client.Service(t.Context(), web)
			if err != nil || got.Keeper != c.keeper || got.TemplateRevision != c.revision {
				t.Errorf("kept by %q, names %q, error %v; want %q and %q", got.Keeper, got.TemplateRevision, err, c.keeper, c.revision)
			}
		})
	}
}

// TestHowManyInstancesAServiceHas at least and at most, of those that Cloud Run
// divides among its revisions.
func TestHowManyInstancesAServiceHas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scaling     *run.GoogleCloudRunV2ServiceScaling
		least, most int64
	}{
		"nothing said":                  {nil, 0, 0},
		"a minimum and a maximum":       {&run.GoogleCloudRunV2ServiceScaling{MinInstanceCount: 3, MaxInstanceCount: 20}, 3, 20},
		"said to be automatic":          {&run.GoogleCloudRunV2ServiceScaling{ScalingMode: "AUTOMATIC", MinInstanceCount: 3, ManualInstanceCount: 9}, 3, 0},
		"manual, which ignores them":    {&run.GoogleCloudRunV2ServiceScaling{ScalingMode: "MANUAL", ManualInstanceCount: 9, MinInstanceCount: 3, MaxInstanceCount: 20}, 9, 9},
		"a mode that is not known here": {&run.GoogleCloudRunV2ServiceScaling{ScalingMode: "NEW", MinInstanceCount: 3}, 3, 0},
	} {
		if least, most := scaling(c.scaling); least != c.least || most != c.most {
			t.Errorf("%s: %d to %d, want %d to %d", name, least, most, c.least, c.most)
		}
	}
}

// TestTheConditionOfAMinimumOfInstances: only success says that they are there.
func TestTheConditionOfAMinimumOfInstances(t *testing.T) {
	t.Parallel()
	minimum := func(state, reason string) *run.GoogleCloudRunV2Condition {
		return &run.GoogleCloudRunV2Condition{Type: "MinInstancesProvisioned", State: state, RevisionReason: reason}
	}
	for name, c := range map[string]struct {
		conditions []*run.GoogleCloudRunV2Condition
		done       bool
		lacking    string
	}{
		"none":            {nil, false, ""},
		"another's":       {[]*run.GoogleCloudRunV2Condition{nil, {Type: "Ready", State: conditionSucceeded}}, false, ""},
		"there":           {[]*run.GoogleCloudRunV2Condition{minimum(conditionSucceeded, "")}, true, ""},
		"starting":        {[]*run.GoogleCloudRunV2Condition{minimum("CONDITION_PENDING", "MIN_INSTANCES_WARMING")}, false, "MIN_INSTANCES_WARMING"},
		"not addressable": {[]*run.GoogleCloudRunV2Condition{minimum(conditionFailed, "MIN_INSTANCES_NOT_PROVISIONED")}, false, "MIN_INSTANCES_NOT_PROVISIONED"},
		"unknown":         {[]*run.GoogleCloudRunV2Condition{minimum("CONDITION_NEW", "")}, false, ""},
	} {
		if done, lacking := provisioning(c.conditions); done != c.done || lacking != c.lacking {
			t.Errorf("%s: %v, %q", name, done, lacking)
		}
	}
}

// TestWhoChangedAServiceLastIsRead: Cloud Run names them, and a service that nobody
// has changed yet names nobody.
func TestWhoChangedAServiceLastIsRead(t *testing.T) {
	t.Parallel()
	ref := rollout.ServiceRef{Project: "acme-prod", Location: "us-central1", Name: "api"}
	for _, who := range []string{"bob@example.com", ""} {
		s, err := convertService(ref, &run.GoogleCloudRunV2Service{
			Name: "projects/acme-prod/locations/us-central1/services/api", Uid: "u", Etag: "e", Generation: 1, LastModifier: who,
		})
		if err != nil || s.Modifier != who {
			t.Errorf("changed by %q, want %q: %v", s.Modifier, who, err)
		}
	}
}

// TestWhichTemplateOfOursItIs: nothing but a digest is believed, of the service's
// template and of a revision alike.
func TestWhichTemplateOfOursItIs(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`"0123456789abcdef"`:       "0123456789abcdef",
		`"0123456789ABCDEF"`:       "",
		`"0123456789abcde"`:        "",
		`"0123456789abcdef0"`:      "",
		`"0123456789abcdef\n"`:     "",
		`"../../services/apixxxx"`: "",
		`""`:                       "",
	} {
		annotations := `"annotations": {"team": "web", "rollouts.sluice.dev/template": ` + value + `}, `
		client, _ := dial(t, answering(http.StatusOK, replaced(t, serviceJSON, `"traffic": [`, `"template": {`+annotations+`"timeout": "1s"}, "traffic": [`)))
		if got, err := client.Service(t.Context(), web); err != nil || got.Template != want {
			t.Errorf("a service's template with %s: %q, %v", value, got.Template, err)
		}
		client, _ = dial(t, answering(http.StatusOK, replaced(t, revisionJSON, `"containers": [`, annotations+`"containers": [`)))
		if got, err := client.Revisions(t.Context(), web, []string{"web-2"}); err != nil || got["web-2"].Template != want {
			t.Errorf("a revision with %s: %q, %v", value, got["web-2"].Template, err)
		}
	}
}
