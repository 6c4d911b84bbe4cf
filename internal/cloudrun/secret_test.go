package cloudrun

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// secret stands for what a template or an answer must not give away.
const secret = "hunter2-in-the-open"

// TestNothingOfATemplateIsKept: the values of environment variables, arguments and
// probes are often secrets, and what the adapter never hands on can reach no status,
// event or log.
func TestNothingOfATemplateIsKept(t *testing.T) {
	t.Parallel()
	containers := fmt.Sprintf(`"containers":[{"image":"web@sha256:2","args":["--password=%[1]s"],"env":[{"name":"PASSWORD","value":"%[1]s"}],
		"livenessProbe":{"httpGet":{"path":"/","httpHeaders":[{"name":"Authorization","value":"%[1]s"}]}}}]`, secret)
	client, _ := dial(t, func(req *http.Request) outcome {
		text := strings.Replace(serviceJSON, `"uid"`, `"template":{`+containers+`},"uid"`, 1)
		if strings.Contains(req.URL.Path, "/revisions/") {
			text = strings.Replace(revisionJSON, `"createTime"`, containers+`,"createTime"`, 1)
		}
		if !strings.Contains(text, secret) {
			t.Errorf("the answer holds no secret: %s", text)
		}
		return outcome{code: http.StatusOK, body: text}
	})
	service, err := client.Service(t.Context(), web)
	if err != nil {
		t.Fatal(err)
	}
	revisions, err := client.Revisions(t.Context(), web, []string{"web-2"})
	if err != nil {
		t.Fatal(err)
	}
	if told := fmt.Sprintf("%+v %+v", service, revisions); strings.Contains(told, secret) {
		t.Errorf("kept: %s", told)
	}
}

// TestOfAFailureOnlyTheAPIsMessageIsTold, to the reads and to the write.
func TestOfAFailureOnlyTheAPIsMessageIsTold(t *testing.T) {
	t.Parallel()
	for what, body := range map[string]string{
		"beside the message": `{"error":{"message":"no","status":"INTERNAL","details":[{"@type":"type.googleapis.com/google.rpc.DebugInfo","detail":"` + secret + `"}]}}`,
		"in a proxy's page":  `<html>` + secret + `</html>`,
		"in half a message":  `{"error":{"message":"` + secret,
	} {
		for _, code := range []int{http.StatusBadRequest, http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError} {
			client, _ := dial(t, answering(code, body, "X-Token", secret))
			_, read := client.Service(t.Context(), web)
			for call, err := range map[string]error{"read": read, "write": client.swap(t.Context(), web, step)} {
				if err == nil || strings.Contains(err.Error(), secret) {
					t.Errorf("%s, HTTP %d, %s: %v", what, code, call, err)
				}
			}
		}
	}
}
