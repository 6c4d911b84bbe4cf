package cloudrun

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// written is a template with explicit zeros, which the library's types would lose.
var written = rollout.Template{
	Digest: "0123456789abcdef",
	JSON: `{"annotations":{"team":"web"},"containers":[{"image":"web@sha256:2","resources":{"cpuIdle":false}}],` +
		`"scaling":{"cpuUtilization":0.60,"minInstanceCount":0},"sessionAffinity":false}`,
}

// deploy is a deploy of a template on generation 7.
func deploy(t *testing.T, etag string, template rollout.Template) rollout.Deploy {
	t.Helper()
	d, err := rollout.NewDeploy(etag, 7, template)
	if err != nil {
		t.Fatal(err)
	}
	return *d
}

func TestADeployToTheByte(t *testing.T) {
	t.Parallel()
	client, below := dial(t, answering(http.StatusOK, accepted("8")))
	if err := client.SetTemplate(t.Context(), web, deploy(t, `"CNn/x"`, written)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"PATCH /v2/" + webName + "?alt=json&prettyPrint=false&updateMask=template"}, below.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	want := `{"etag":"\"CNn/x\"","template":{"annotations":{"rollouts.sluice.dev/template":"0123456789abcdef","team":"web"},` +
		`"containers":[{"image":"web@sha256:2","resources":{"cpuIdle":false}}],"scaling":{"cpuUtilization":0.60,"minInstanceCount":0},"sessionAffinity":false}}`
	if diff := cmp.Diff([]string{want}, below.bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
	if agent := below.headers[0].Get("User-Agent"); !strings.Contains(agent, "sluice/test") {
		t.Errorf("user agent %q", agent)
	}
	for name := range below.headers[0] {
		if strings.Contains(strings.ToLower(name), "idempotency") {
			t.Errorf("header %s, with which net/http sends twice", name)
		}
	}
}

func TestATemplateWithoutAnnotationsGetsOurs(t *testing.T) {
	t.Parallel()
	client, below := dial(t, answering(http.StatusOK, accepted("8")))
	odd := rollout.Template{Digest: "0123456789abcdef", JSON: `{"containers":[{"args":["<&>\u2028"],"image":"web"}]}`}
	if err := client.SetTemplate(t.Context(), web, deploy(t, "x", odd)); err != nil {
		t.Fatal(err)
	}
	var body struct {
		Template struct {
			Annotations map[string]string
			Containers  []struct{ Args []string }
		}
	}
	if err := json.Unmarshal([]byte(below.bodies[0]), &body); err != nil {
		t.Fatal(err)
	}
	if got := body.Template; got.Containers[0].Args[0] != "<&>\u2028" || got.Annotations[rollout.TemplateAnnotation] != odd.Digest || len(got.Annotations) != 1 {
		t.Errorf("sent %s", below.bodies[0])
	}
}

func TestADeployThatIsNoneIsNotSent(t *testing.T) {
	t.Parallel()
	client, below := dial(t, answering(http.StatusOK, accepted("8")))
	for name, c := range map[string]struct {
		ref  rollout.ServiceRef
		d    rollout.Deploy
		want error
	}{
		"one that nobody made":        {web, rollout.Deploy{}, ErrInvalid},
		"half an object":              {web, deploy(t, "x", rollout.Template{Digest: "0123456789abcdef", JSON: `{"a"}`}), ErrInvalid},
		"annotations that are a list": {web, deploy(t, "x", rollout.Template{Digest: "0123456789abcdef", JSON: `{"annotations":[]}`}), ErrInvalid},
		"annotations that are null":   {web, deploy(t, "x", rollout.Template{Digest: "0123456789abcdef", JSON: `{"annotations":null}`}), ErrInvalid},
		"a service that is none":      {rollout.ServiceRef{Project: "shop", Location: "europe-west1", Name: "../web"}, deploy(t, "x", written), ErrInvalid},
		"no containers":               {web, deploy(t, "x", rollout.Template{Digest: "0123456789abcdef", JSON: `{}`}), ErrRefused},
		"a name for the revision":     {web, deploy(t, "x", rollout.Template{Digest: "0123456789abcdef", JSON: `{"containers":[{"image":"a"}],"revision":"web-2"}`}), ErrRefused},
		"a digest that is none":       {web, deploy(t, "x", rollout.Template{Digest: "new", JSON: written.JSON}), ErrRefused},
	} {
		if err := client.SetTemplate(t.Context(), c.ref, c.d); !errors.Is(err, c.want) || errors.Is(err, ErrAmbiguous) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
	if len(below.requests) > 0 || client.Refused() != 3 {
		t.Errorf("sent %q, refused %d", below.requests, client.Refused())
	}
}

func TestAnswersToADeploy(t *testing.T) {
	t.Parallel()
	ok := func(body string) script { return answering(http.StatusOK, body) }
	cases := map[string]struct {
		answer script
		want   error // nil: accepted
		text   string
	}{
		"accepted": {ok(accepted("8")), nil, ""},
		"somebody else wrote in between": {
			ok(accepted("9")), ErrInterleaved, `deploying the template of service "web": somebody else wrote in between: generation 9 followed 7`,
		},
		"nothing that changed":        {ok(accepted("7")), ErrInterleaved, "generation 7 followed 7"},
		"an answer without a service": {ok(`{"name":"operations/1"}`), ErrAmbiguous, "answer lost"},
		"a null":                      {ok(`null`), ErrAmbiguous, "answer lost"},
		"a page":                      {ok(`<html>`), ErrAmbiguous, "answer lost"},
		"an empty answer":             {ok(``), ErrAmbiguous, "answer lost"},
		"an endless answer":           {ok(`{"name":"` + strings.Repeat("x", 5<<20)), ErrAmbiguous, "too large"},
		"an answer that breaks":       {breaking(`{"name":`), ErrAmbiguous, "unexpected EOF"},
		"a stale etag":                {failing(http.StatusConflict, "ABORTED", "Conflict for resource 'web'"), ErrConflict, "Conflict for resource 'web'"},
		"a revision's name taken":     {failing(http.StatusConflict, "ALREADY_EXISTS", "Revision named 'web-2' with different configuration already exists."), ErrNamedConflict, "Revision named"},
		"over quota":                  {failing(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "Quota exceeded"), ErrThrottled, "over quota"},
		"denied the service account": {
			failing(http.StatusForbidden, "PERMISSION_DENIED", "Permission 'iam.serviceaccounts.actAs' denied on service account web@shop.iam.gserviceaccount.com"),
			ErrDenied, "iam.serviceaccounts.actAs",
		},
		"a template that the API does not take": {failing(http.StatusBadRequest, "INVALID_ARGUMENT", "no"), ErrInvalid, "no"},
		"missing, says a proxy":                 {answering(http.StatusNotFound, `<html>`), ErrAmbiguous, "HTTP 404"},
		"503":                                   {failing(http.StatusServiceUnavailable, "UNAVAILABLE", "no"), ErrAmbiguous, "no"},
		"a redirect is not followed":            {answering(http.StatusTemporaryRedirect, ``, "Location", "http://127.0.0.1:9/"), ErrAmbiguous, "HTTP 307"},
		"a reset after the request":             {losing(io.ErrUnexpectedEOF), ErrAmbiguous, "unexpected EOF"},
		"no connection":                         {losing(&net.OpError{Op: "dial", Err: errors.New("refused")}), ErrUnavailable, "refused"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, below := dial(t, c.answer)
			err := client.SetTemplate(t.Context(), web, deploy(t, "x", written))
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("text %q, want one with %q", err, c.text)
			}
			if len(below.requests) != 1 {
				t.Errorf("sent %d times, want once", len(below.requests))
			}
			for kind, is := range kindsOf(err) {
				if is && kind != c.want.Error() {
					t.Errorf("also of kind %q", kind)
				}
			}
		})
	}
}
