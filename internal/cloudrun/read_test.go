package cloudrun

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func TestAServiceIsReadInOneGet(t *testing.T) {
	t.Parallel()
	client, below := dial(t, answering(http.StatusOK, serviceJSON))
	got, err := client.Service(t.Context(), web)
	if err != nil {
		t.Fatal(err)
	}
	want := rollout.Service{
		Presence: rollout.Found, UID: "00983b4f", Generation: 7, ObservedGeneration: 6, ETag: `"CNn/x"`, Reconciling: true,
		Desired: []rollout.Entry{
			{Revision: "web-1", Percent: 100, Tag: "blue"}, {Latest: true, Tag: "newest"},
		},
		Effective:   []rollout.Entry{{Revision: "web-1", Percent: 100}},
		LatestReady: "web-1", LatestCreated: "web-2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("service (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"GET /v2/" + webName + "?alt=json&prettyPrint=false"}, below.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if agent := below.headers[0].Get("User-Agent"); !strings.Contains(agent, "sluice/test") {
		t.Errorf("user agent %q", agent)
	}
	if below.headers[0].Get("Authorization") != "" {
		t.Error("credentials sent to this machine")
	}
}

func TestRevisionsAreReadOneByOne(t *testing.T) {
	t.Parallel()
	client, below := dial(t, func(req *http.Request) outcome {
		switch {
		case strings.Contains(req.URL.Path, "/web-1"):
			return failing(http.StatusNotFound, "NOT_FOUND", "Resource 'web-1' does not exist.")(req)
		case strings.Contains(req.URL.Path, "/web-3"):
			return failing(http.StatusForbidden, "PERMISSION_DENIED", "run.revisions.get denied")(req)
		}
		return answering(http.StatusOK, revisionJSON)(req)
	})
	got, err := client.Revisions(t.Context(), web, []string{"web-2", "web-1", "web-3", "web-2"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]rollout.Revision{
		"web-1": {Presence: rollout.Missing, Name: "web-1", Readiness: rollout.Pending, Why: "Resource 'web-1' does not exist."},
		"web-2": {
			Presence: rollout.Found, Name: "web-2", CreatedAt: time.Date(2026, 3, 1, 11, 0, 0, 123456000, time.UTC),
			Readiness: rollout.Ready, Egress: rollout.EgressAll, VPC: rollout.VPCAccess{Network: "default"},
			Timeout: 5 * time.Minute, Image: "web@sha256:2",
		},
		"web-3": {Presence: rollout.Denied, Name: "web-3", Readiness: rollout.Pending, Why: "run.revisions.get denied"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
	slices.Sort(below.requests)
	if len(below.requests) != 3 || below.requests[1] != "GET /v2/"+webName+"/revisions/web-2?alt=json&prettyPrint=false" {
		t.Errorf("requests %q", below.requests)
	}
}

func TestARevisionThatCannotBeReadHidesNoOther(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		short  string
		answer script
		want   string
	}{
		"an error of Cloud Run":   {"web-9", failing(http.StatusInternalServerError, "INTERNAL", "oops"), "unavailable: oops"},
		"over quota":              {"web-9", failing(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "slow down"), "over quota: slow down"},
		"not authenticated":       {"web-9", failing(http.StatusUnauthorized, "UNAUTHENTICATED", "who"), "access denied: who"},
		"another revision":        {"web-9", answering(http.StatusOK, revisionJSON), "unusable answer: answer is not the revision asked for"},
		"no answer":               {"web-9", losing(io.ErrUnexpectedEOF), "unavailable: unexpected EOF"},
		"no answer in time":       {"web-9", losing(context.DeadlineExceeded), "unavailable: no answer in time"},
		"a name that is not sent": {"web-9/../web-2", nil, `"web-9/../web-2" is no revision name`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := dial(t, func(req *http.Request) outcome {
				if strings.Contains(req.URL.Path, "web-9") {
					return c.answer(req)
				}
				return answering(http.StatusOK, revisionJSON)(req)
			})
			got, err := client.Revisions(t.Context(), web, []string{c.short, "web-2"})
			if err != nil {
				t.Fatal(err)
			}
			want := rollout.Revision{Presence: rollout.Unknown, Name: c.short, Readiness: rollout.Pending, Why: c.want}
			if diff := cmp.Diff(want, got[c.short]); diff != "" || got["web-2"].Readiness != rollout.Ready {
				t.Errorf("revisions %+v (-want +got):\n%s", got, diff)
			}
		})
	}
}

func TestRevisionsAreNotWaitedForAfterThePassHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client, below := dial(t, func(*http.Request) outcome {
		cancel()
		return outcome{err: context.Canceled}
	})
	got, err := client.Revisions(ctx, web, []string{"web-1", "web-2"})
	if got != nil || !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) || len(below.requests) == 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestFourRevisionsAreReadSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var busy, most atomic.Int32
		client, _ := dial(t, func(req *http.Request) outcome {
			most.Store(max(most.Load(), busy.Add(1)))
			time.Sleep(500 * time.Millisecond)
			busy.Add(-1)
			return answering(http.StatusNotFound, `{"error":{"message":"no","status":"NOT_FOUND"}}`)(req)
		})
		began := time.Now()
		got, err := client.Revisions(t.Context(), web, []string{"a", "b", "c", "d", "e", "f", "g", "h"})
		if err != nil || len(got) != 8 || most.Load() != 4 || time.Since(began) != time.Second {
			t.Errorf("%d of 8 revisions, %d at a time in %v: %v", len(got), most.Load(), time.Since(began), err)
		}
	})
}

func TestAbsenceAndDenialAreFacts(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		code            int
		status, message string
		want            rollout.Service
	}{
		"missing": {
			http.StatusNotFound, "NOT_FOUND", "Resource 'web' of kind 'SERVICE' does not exist.",
			rollout.Service{Presence: rollout.Missing, Detail: "Resource 'web' of kind 'SERVICE' does not exist."},
		},
		"denied": {
			http.StatusForbidden, "PERMISSION_DENIED", "Permission 'run.services.get' denied",
			rollout.Service{Presence: rollout.Denied, Detail: "Permission 'run.services.get' denied"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := dial(t, failing(c.code, c.status, c.message))
			got, err := client.Service(t.Context(), web)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("service (-want +got):\n%s", diff)
			}
		})
	}
}

// replaced is the service's JSON with one piece exchanged.
func replaced(t *testing.T, source, old, with string) string {
	t.Helper()
	if !strings.Contains(source, old) {
		t.Fatalf("no %s to replace", old)
	}
	return strings.ReplaceAll(source, old, with)
}

func TestAnswersThatAreNoServiceAreErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"nothing":                     ``,
		"a page":                      `<html>Sign in</html>`,
		"half an answer":              serviceJSON[:400],
		"an empty object":             `{}`,
		"a null":                      `null`,
		"another service":             replaced(t, serviceJSON, "services/web\"", "services/api\""),
		"no etag":                     replaced(t, serviceJSON, `"etag": "\"CNn/x\"",`, ``),
		"no uid":                      replaced(t, serviceJSON, `"uid": "00983b4f",`, ``),
		"no generation":               replaced(t, serviceJSON, `"generation": "7",`, ``),
		"a generation that is a word": replaced(t, serviceJSON, `"generation": "7"`, `"generation": "seven"`),
		"a generation as a number":    replaced(t, serviceJSON, `"generation": "7"`, `"generation": 7`),
		"a percent of 101":            replaced(t, serviceJSON, `"percent": 100`, `"percent": 101`),
		"a negative percent":          replaced(t, serviceJSON, `"percent": 100`, `"percent": -1`),
		"an unknown kind of entry":    replaced(t, serviceJSON, "TYPE_REVISION", "TYPE_RANDOM"),
		"an entry of no kind":         replaced(t, serviceJSON, "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", ""),
		"an entry without a name":     replaced(t, serviceJSON, `"revision": "web-1",`, ``),
		"a null entry":                replaced(t, serviceJSON, `"traffic": [`, `"traffic": [null,`),
		"a null entry that serves":    replaced(t, serviceJSON, `"trafficStatuses": [`, `"trafficStatuses": [null,`),
		"a path for a name":           replaced(t, serviceJSON, `"revision": "web-1"`, `"revision": "../web-1"`),
		"a strange latest revision":   replaced(t, serviceJSON, "web/revisions/web-2", "web/jobs/web-2"),
		"five megabytes":              `{"name":"` + strings.Repeat("x", 5<<20) + `"}`,
	}
	for name, body := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := dial(t, answering(http.StatusOK, body))
			got, err := client.Service(t.Context(), web)
			if !errors.Is(err, ErrGarbled) {
				t.Fatalf("error %v, want an unusable answer; service %+v", err, got)
			}
			if len(err.Error()) > 500 {
				t.Errorf("an error text of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestNoTrafficListMeansAllToTheNewest(t *testing.T) {
	t.Parallel()
	got, err := desired(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]rollout.Entry{{Latest: true, Percent: 100}}, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestReadinessAndFailure(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		old, with string
		want      rollout.Readiness
		wantWhy   string
	}{
		"ready, though retired":          {"", "", rollout.Ready, ""},
		"failed":                         {`"Ready", "state": "CONDITION_SUCCEEDED"`, `"Ready", "state": "CONDITION_FAILED", "reason": "CONTAINER_MISSING", "message": "no\nimage"`, rollout.NotReady, "CONTAINER_MISSING: no image"},
		"failed for a revision's reason": {`"Ready", "state": "CONDITION_SUCCEEDED"`, `"Ready", "state": "CONDITION_FAILED", "revisionReason": "HEALTH_CHECK_CONTAINER_ERROR"`, rollout.NotReady, "HEALTH_CHECK_CONTAINER_ERROR"},
		"pending":                        {`"Ready", "state": "CONDITION_SUCCEEDED"`, `"Ready", "state": "CONDITION_PENDING", "message": "Deploying."`, rollout.Pending, "Deploying."},
		"a state of the future":          {"CONDITION_SUCCEEDED", "CONDITION_SPLENDID", rollout.Pending, ""},
		"no state":                       {"CONDITION_SUCCEEDED", "", rollout.Pending, ""},
		"no such condition":              {`"type": "Ready"`, `"type": "ContainerReady"`, rollout.Pending, ""},
		"a null among conditions":        {`"conditions": [`, `"conditions": [null,`, rollout.Ready, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := revisionJSON
			if c.old != "" {
				body = replaced(t, body, c.old, c.with)
			}
			client, _ := dial(t, answering(http.StatusOK, body))
			got, err := client.Revisions(t.Context(), web, []string{"web-2"})
			if err != nil {
				t.Fatal(err)
			}
			if r := got["web-2"]; r.Readiness != c.want || r.Why != c.wantWhy {
				t.Errorf("got %s, %q, want %s, %q", r.Readiness, r.Why, c.want, c.wantWhy)
			}
		})
	}
	t.Run("a service that could not be reconciled says why", func(t *testing.T) {
		t.Parallel()
		client, _ := dial(t, answering(http.StatusOK, replaced(t, serviceJSON, `"CONDITION_PENDING"`,
			`"CONDITION_FAILED", "reason": "REVISION_FAILED", "message": "Revision 'web-2' is not ready."`)))
		got, err := client.Service(t.Context(), web)
		if err != nil {
			t.Fatal(err)
		}
		if want := "REVISION_FAILED: Revision 'web-2' is not ready."; got.Failure != want {
			t.Errorf("failure %q, want %q", got.Failure, want)
		}
	})
}

func TestWhereARevisionEntersItsVPC(t *testing.T) {
	t.Parallel()
	const host = "projects/net-host/regions/europe-west1/subnetworks/run"
	cases := map[string]struct {
		access string
		want   rollout.VPCAccess
	}{
		"a network alone":              {`"networkInterfaces": [{"network": "default"}]`, rollout.VPCAccess{Network: "default"}},
		"a subnetwork of a shared VPC": {`"networkInterfaces": [{"subnetwork": "` + host + `"}]`, rollout.VPCAccess{Subnetwork: host}},
		"both": {
			`"networkInterfaces": [{"network": "projects/net-host/global/networks/main", "subnetwork": "` + host + `", "tags": ["run"]}]`,
			rollout.VPCAccess{Network: "projects/net-host/global/networks/main", Subnetwork: host},
		},
		"a connector": {
			`"connector": "projects/shop/locations/europe-west1/connectors/out"`,
			rollout.VPCAccess{Connector: "projects/shop/locations/europe-west1/connectors/out"},
		},
		"neither":                          {`"egress": "ALL_TRAFFIC"`, rollout.VPCAccess{}},
		"a null for an interface":          {`"networkInterfaces": [null]`, rollout.VPCAccess{}},
		"two, of which nobody knows which": {`"networkInterfaces": [{"network": "a"}, {"network": "b"}]`, rollout.VPCAccess{}},
		"a text that does not print":       {`"networkInterfaces": [{"network": "a\nb"}]`, rollout.VPCAccess{Network: "a b"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := replaced(t, revisionJSON, `"networkInterfaces": [{"network": "default"}], "egress": "ALL_TRAFFIC"`, c.access)
			client, _ := dial(t, answering(http.StatusOK, body))
			got, err := client.Revisions(t.Context(), web, []string{"web-2"})
			if err != nil || got["web-2"].VPC != c.want {
				t.Errorf("got %+v, %v, want %+v", got["web-2"].VPC, err, c.want)
			}
		})
	}
}

func TestEgressTimeoutAndImage(t *testing.T) {
	t.Parallel()
	access := `"vpcAccess": {"networkInterfaces": [{"network": "default"}], "egress": "ALL_TRAFFIC"},`
	cases := map[string]struct {
		old, with string
		want      rollout.Egress
		timeout   time.Duration
		image     string
	}{
		"no access to a VPC":                    {access, ``, rollout.EgressNone, 300 * time.Second, "web@sha256:2"},
		"the default is private ranges":         {`, "egress": "ALL_TRAFFIC"`, ``, rollout.EgressPrivate, 300 * time.Second, "web@sha256:2"},
		"and so is an unspecified one":          {`ALL_TRAFFIC`, `VPC_EGRESS_UNSPECIFIED`, rollout.EgressPrivate, 300 * time.Second, "web@sha256:2"},
		"private ranges":                        {`ALL_TRAFFIC`, `PRIVATE_RANGES_ONLY`, rollout.EgressPrivate, 300 * time.Second, "web@sha256:2"},
		"one of the future is watched":          {`ALL_TRAFFIC`, `SOME_TRAFFIC`, rollout.EgressAll, 300 * time.Second, "web@sha256:2"},
		"a timeout with a fraction":             {`300s`, `3.5s`, rollout.EgressAll, 3500 * time.Millisecond, "web@sha256:2"},
		"no timeout":                            {`"timeout": "300s",`, ``, rollout.EgressAll, 0, "web@sha256:2"},
		"no container with a port: the first":   {`, "ports": [{"containerPort": 8080}]`, ``, rollout.EgressAll, 300 * time.Second, "sidecar@sha256:1"},
		"a null among containers is overlooked": {`"containers": [`, `"containers": [null, `, rollout.EgressAll, 300 * time.Second, "web@sha256:2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := dial(t, answering(http.StatusOK, replaced(t, revisionJSON, c.old, c.with)))
			got, err := client.Revisions(t.Context(), web, []string{"web-2"})
			if err != nil {
				t.Fatal(err)
			}
			r := got["web-2"]
			if r.Egress != c.want || r.Timeout != c.timeout || r.Image != c.image {
				t.Errorf("got %s, %s, %s, want %s, %s, %s", r.Egress, r.Timeout, r.Image, c.want, c.timeout, c.image)
			}
		})
	}
	for name, c := range map[string][2]string{
		"a timeout that is no duration": {`300s`, `soon`},
		"a negative timeout":            {`300s`, `-1s`},
		"no creation time":              {`2026-03-01T11:00:00.123456Z`, ``},
		"another revision":              {`revisions/web-2`, `revisions/web-3`},
		"a null":                        {revisionJSON, `null`},
		"no name":                       {`projects/shop/locations/europe-west1/services/web/revisions/web-2`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := dial(t, answering(http.StatusOK, replaced(t, revisionJSON, c[0], c[1])))
			got, err := client.Revisions(t.Context(), web, []string{"web-2"})
			if r := got["web-2"]; err != nil || r.Presence != rollout.Unknown || !strings.Contains(r.Why, "unusable answer") {
				t.Errorf("got %+v, %v, want an unusable answer", r, err)
			}
		})
	}
}

func TestNamesThatWouldChangeThePathAreNotSent(t *testing.T) {
	t.Parallel()
	for _, ref := range []rollout.ServiceRef{
		{},
		{Project: "shop", Location: "l", Name: "web/revisions/web-1"},
		{Project: "shop", Location: "l", Name: "web?x=1"},
		{Project: "shop/locations/x", Location: "l", Name: "web"},
		{Project: "shop", Location: "..", Name: "web"},
		{Project: "shop", Location: "l", Name: "web%2f"},
		{Project: "shop", Location: "l", Name: "Web"},
	} {
		t.Run(ref.Name, func(t *testing.T) {
			t.Parallel()
			client, below := dial(t, answering(http.StatusOK, serviceJSON))
			if _, err := client.Service(t.Context(), ref); !errors.Is(err, ErrInvalid) {
				t.Errorf("service: %v", err)
			}
			if got, err := client.Revisions(t.Context(), ref, []string{"web-1"}); err != nil || got["web-1"].Presence != rollout.Unknown {
				t.Errorf("revisions: %v, %v", got, err)
			}
			if err := client.SetTraffic(t.Context(), ref, rollout.Write{}); !errors.Is(err, ErrInvalid) {
				t.Errorf("traffic: %v", err)
			}
			if len(below.requests) > 0 {
				t.Errorf("sent %q", below.requests)
			}
		})
	}
}

// FuzzWhateverIsAnswered shows that no answer, however odd, is read as a service
// that could be written to without an etag, or makes the reader fall over.
func FuzzWhateverIsAnswered(f *testing.F) {
	f.Add(http.StatusOK, serviceJSON)
	f.Add(http.StatusOK, revisionJSON)
	f.Add(http.StatusOK, "null")
	f.Add(http.StatusOK, accepted("8"))
	f.Add(http.StatusNotFound, `{"error":{"status":"NOT_FOUND","message":"no","details":[null]}}`)
	f.Add(http.StatusConflict, `[{"error":null}]`)
	f.Fuzz(func(t *testing.T, code int, body string) {
		if code < 200 || code > 599 {
			return
		}
		client, _ := dial(t, answering(code, body))
		service, err := client.Service(t.Context(), web)
		if err == nil && service.Presence == rollout.Found {
			if service.ETag == "" || service.Generation <= 0 || service.UID == "" || len(service.Desired) == 0 {
				t.Errorf("read %+v from %q", service, body)
			}
		}
		found, err := client.Revisions(t.Context(), web, []string{"web-2"})
		if r := found["web-2"]; err == nil && r.Presence == rollout.Found && r.CreatedAt.IsZero() && !strings.Contains(body, "0001-01-01") {
			t.Errorf("read %+v from %q", r, body)
		}
		err = client.swap(t.Context(), web, step)
		if err == nil && (code >= 300 || !strings.Contains(body, "8")) {
			t.Errorf("took %d %q for success", code, body)
		}
	})
}

// FuzzShortRevisionNames reads any text as a revision's name: what comes of it is
// the last part of one of the two forms, and survives being written in full.
func FuzzShortRevisionNames(f *testing.F) {
	f.Add("web-1")
	f.Add("projects/p/locations/l/services/s/revisions/web-1")
	f.Add("projects//locations/l/services/s/revisions/web-1")
	f.Add("revisions/web-1")
	f.Add("projects/p/locations/l/services/s/revisions/")
	f.Add("projects/p/locations/l/services/s/revisions/web-1/revisions/web-2")
	f.Add("web-1\n")
	f.Add("Web-1")
	f.Fuzz(func(t *testing.T, name string) {
		short, err := shortRevision(name)
		if err != nil {
			if short != "" {
				t.Errorf("%q beside an error", short)
			}
			return
		}
		if !strings.HasSuffix(name, short) || strings.ContainsAny(short, "/ .%?#\x00") || (short == "") != (name == "") {
			t.Fatalf("%q became %q", name, short)
		}
		if before := strings.TrimSuffix(name, short); before != "" && (!strings.HasSuffix(before, "/revisions/") || strings.Count(before, "/") != 7) {
			t.Fatalf("%q became %q", name, short)
		}
		if again, err := shortRevision(short); err != nil || again != short {
			t.Errorf("%q became %q, %v", short, again, err)
		}
		full, err := revisionName(web, short)
		if (err == nil) != (short != "") {
			t.Fatalf("%q in full: %q, %v", short, full, err)
		}
		if again, err := shortRevision(full); err != nil || again != short || short != "" && full != webName+"/revisions/"+short {
			t.Errorf("%q became %q, %v", full, again, err)
		}
	})
}
