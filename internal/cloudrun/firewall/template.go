package firewall

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// templateKey is the annotation that every template of ours carries.
const templateKey = "rollouts.sluice.dev/template"

const (
	// maxTemplate is the largest template that is looked at, in bytes: what is read from
	// a rollout has at most 64 KiB, of which escapes may make more.
	maxTemplate = 256 << 10
	// maxDepth is how deep a template may be nested; those of the API are at most 7.
	maxDepth = 20
)

var templateDigest = regexp.MustCompile(`^[0-9a-f]{16}$`)

// checkTemplate permits the template of a revision to come that Cloud Run names, made
// of at least one container with an image, and marked as ours.
func checkTemplate(raw json.RawMessage) error {
	if len(raw) == 0 {
		return errors.New("no template, which takes the service's away")
	}
	if len(raw) > maxTemplate {
		return errors.New("template too large")
	}
	if err := checkNames(raw, maxDepth); err != nil {
		return fmt.Errorf("template: %w", err)
	}
	fields, err := object(raw, func(name string) bool { return !strings.EqualFold(name, "revision") })
	if err != nil {
		return fmt.Errorf("template: %w", err)
	}
	if err := checkMark(fields["annotations"]); err != nil {
		return fmt.Errorf("template: %w", err)
	}
	return checkContainers(fields["containers"])
}

// checkMark wants the annotation by which a template is known to be ours.
func checkMark(raw json.RawMessage) error {
	if len(raw) == 0 {
		return errors.New("no annotations")
	}
	values, err := texts(raw)
	if err != nil {
		return fmt.Errorf("annotations: %w", err)
	}
	if digest, err := text(values, templateKey); err != nil || !templateDigest.MatchString(digest) {
		return errors.New("annotations without the digest of the template")
	}
	return nil
}

func checkContainers(raw json.RawMessage) error {
	var containers []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &containers) != nil || len(containers) == 0 {
		return errors.New("template without containers")
	}
	for _, container := range containers {
		fields, err := object(container, func(string) bool { return true })
		if err != nil {
			return fmt.Errorf("container: %w", err)
		}
		image, err := text(fields, "image")
		if err != nil {
			return fmt.Errorf("container: %w", err)
		}
		if image == "" {
			return errors.New("container without image")
		}
	}
	return nil
}

// checkNames refuses an object anywhere that has a name twice, and what is nested
// deeper than a template is.
func checkNames(raw json.RawMessage, depth int) error {
	if depth == 0 {
		return errors.New("nested too deep")
	}
	inner, err := inside(raw)
	if err != nil {
		return err
	}
	for _, value := range inner {
		if err := checkNames(value, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// inside are the values in an object or a list; none of anything else.
func inside(raw json.RawMessage) ([]json.RawMessage, error) {
	switch raw[0] {
	case '{':
		values, err := object(raw, func(string) bool { return true })
		return slices.Collect(maps.Values(values)), err
	case '[':
		var values []json.RawMessage
		err := json.Unmarshal(raw, &values)
		return values, err
	}
	return nil, nil
}
