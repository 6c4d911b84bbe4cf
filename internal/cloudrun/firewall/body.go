package firewall

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The allocation types of a traffic entry.
const (
	toRevision = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
	toLatest   = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
)

var (
	revisionName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	wholePercent = regexp.MustCompile(`^(0|[1-9][0-9]?|100)$`)
)

// claimKey is the one annotation that a write may be for.
const claimKey = "rollouts.sluice.dev/claim"

// carried are the fields of a service that a body has under a mask, beside its etag.
var carried = map[string][]string{
	maskTraffic:  {"traffic"},
	maskClaimed:  {"traffic", "annotations"},
	maskTemplate: {"template"},
}

// checkBody permits {etag, traffic} with at least one entry and a sum of 100, and the
// annotations exactly where the mask names them; or {etag, template}.
func checkBody(body []byte, resource, mask string) error {
	if !utf8.Valid(body) || !json.Valid(body) {
		return errors.New("body is not JSON")
	}
	fields, err := members(body, append([]string{"name", "etag"}, carried[mask]...)...)
	if err != nil {
		return err
	}
	if err := checkVersion(fields, resource); err != nil {
		return err
	}
	switch mask {
	case maskTemplate:
		return checkTemplate(fields["template"])
	case maskClaimed:
		if err := checkAnnotations(fields["annotations"]); err != nil {
			return err
		}
	}
	return checkTraffic(fields["traffic"])
}

// checkVersion wants an etag, and no other service's name.
func checkVersion(fields map[string]json.RawMessage, resource string) error {
	etag, err := text(fields, "etag")
	if err != nil {
		return err
	}
	if etag == "" {
		return errors.New("no etag")
	}
	name, err := text(fields, "name")
	if err != nil {
		return err
	}
	if name != "" && name != resource {
		return fmt.Errorf("body names %q", clip(name))
	}
	return nil
}

// checkAnnotations wants the claim among them, because a mask with annotations
// and a body without takes everybody's away.
func checkAnnotations(raw json.RawMessage) error {
	if len(raw) == 0 {
		return errors.New("no annotations, which takes all of them away")
	}
	values, err := texts(raw)
	if err != nil {
		return fmt.Errorf("annotations: %w", err)
	}
	if claim, err := text(values, claimKey); err != nil || claim == "" {
		return errors.New("annotations without the claim")
	}
	return nil
}

func checkTraffic(raw json.RawMessage) error {
	if len(raw) == 0 {
		return errors.New("no traffic, which means all of it to the newest revision")
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return errors.New("traffic is not a list")
	}
	if len(entries) == 0 {
		return errors.New("empty traffic, which means all of it to the newest revision")
	}
	sum := 0
	for _, entry := range entries {
		percent, err := checkEntry(entry)
		if err != nil {
			return err
		}
		sum += percent
	}
	if sum != 100 {
		return fmt.Errorf("traffic sums to %d, not 100", sum)
	}
	return nil
}

// checkEntry returns the percent of an entry, 0 when it has none.
func checkEntry(raw json.RawMessage) (int, error) {
	fields, err := members(raw, "type", "revision", "percent", "tag")
	if err != nil {
		return 0, err
	}
	percent, err := percentOf(fields)
	if err != nil {
		return 0, err
	}
	kind, err := text(fields, "type")
	if err != nil {
		return 0, err
	}
	revision, err := text(fields, "revision")
	if err != nil {
		return 0, err
	}
	if _, err := text(fields, "tag"); err != nil {
		return 0, err
	}
	switch {
	case kind == toRevision && revisionName.MatchString(revision):
		return percent, nil
	case kind == toLatest && revision == "" && percent == 0:
		return 0, nil
	case kind == toLatest && revision == "":
		return 0, errors.New("traffic to LATEST")
	}
	return 0, fmt.Errorf("entry of type %q for revision %q", clip(kind), clip(revision))
}

func percentOf(fields map[string]json.RawMessage) (int, error) {
	raw, ok := fields["percent"]
	if !ok {
		return 0, nil
	}
	if !wholePercent.Match(raw) {
		return 0, fmt.Errorf("percent %s", clip(string(raw)))
	}
	return strconv.Atoi(string(raw))
}

// text returns a string member, "" when it is absent. A null is not a string.
func text(fields map[string]json.RawMessage, name string) (string, error) {
	raw, ok := fields[name]
	if !ok {
		return "", nil
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", fmt.Errorf("%s is not a string", name)
	}
	return *s, nil
}

// texts splits an object whose members are strings, of any names.
func texts(raw json.RawMessage) (map[string]json.RawMessage, error) {
	values, err := object(raw, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	for name := range values {
		if _, err := text(values, name); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// members splits valid JSON that is an object into its members. It refuses a
// name that is not allowed, and one that occurs twice: of two, Go's decoder
// believes the last, and another server may believe the first.
func members(raw []byte, allowed ...string) (map[string]json.RawMessage, error) {
	return object(raw, func(name string) bool { return slices.Contains(allowed, name) })
}

func object(raw []byte, known func(name string) bool) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	found := map[string]json.RawMessage{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("reading a name: %w", err)
		}
		name, ok := token.(string)
		if !ok || !known(name) {
			return nil, fmt.Errorf("field %q", clip(fmt.Sprint(token)))
		}
		if _, twice := found[name]; twice {
			return nil, fmt.Errorf("field %q twice", name)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		found[name] = value
	}
	return found, nil
}
