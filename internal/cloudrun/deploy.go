package cloudrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"google.golang.org/api/googleapi"
	run "google.golang.org/api/run/v2"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// SetTemplate sends one compare-and-swap of a service's template, and returns as soon
// as Cloud Run accepted it. The revision that is made of it, and whether it becomes
// ready, is for later reads. Traffic stays as it is, so that one who calls it wants
// none of it to follow LATEST.
//
// What is sent is what the template's author wrote, with the annotation that says which
// one it is. The errors are those of SetTraffic. It is never sent a second time.
func (c *Client) SetTemplate(ctx context.Context, ref rollout.ServiceRef, d rollout.Deploy) error {
	op := fmt.Sprintf("deploying the template of service %q", google.Clean(ref.Name))
	name, err := serviceName(ref)
	if err != nil {
		return &CallError{Op: op, Kind: ErrInvalid, Detail: err.Error()}
	}
	body, err := deployed(d)
	if err != nil {
		return &CallError{Op: op, Kind: ErrInvalid, Detail: google.Clean(err.Error())}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	ctx, sent := metered(ctx)

	answer, err := c.patchTemplate(ctx, name, body)
	if err != nil {
		return writeError(op, err, sent)
	}
	return secondFence(op, d.Generation(), answer)
}

// deployed is the body of a write: the author's own JSON with our annotation in it.
// The library's types would lose every explicit zero.
func deployed(d rollout.Deploy) ([]byte, error) {
	t := d.Template()
	var template map[string]json.RawMessage
	if err := json.Unmarshal([]byte(t.JSON), &template); err != nil || template == nil {
		return nil, errors.New("the template is not an object")
	}
	annotations := map[string]string{}
	if raw, ok := template["annotations"]; ok {
		if err := json.Unmarshal(raw, &annotations); err != nil || annotations == nil {
			return nil, errors.New("annotations of the template are not an object of strings")
		}
	}
	annotations[rollout.TemplateAnnotation] = t.Digest
	var err error
	if template["annotations"], err = json.Marshal(annotations); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // which would make six bytes of one
	err = encoder.Encode(map[string]any{"etag": d.ETag(), "template": template})
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), err
}

// patchTemplate is services.patch with the bytes of the body as they are, which the
// library has no call for. It goes the way that the library's calls go: the same
// client, and so the same credentials, firewall and limits.
func (c *Client) patchTemplate(ctx context.Context, name string, body []byte) (*run.GoogleLongrunningOperation, error) {
	url := googleapi.ResolveRelative(c.api.BasePath, "v2/"+name) + "?alt=json&prettyPrint=false&updateMask=template"
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", googleapi.UserAgent+" "+c.api.UserAgent)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if err := googleapi.CheckResponse(res); err != nil {
		return nil, err
	}
	answer := &run.GoogleLongrunningOperation{}
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return answer, nil
}
