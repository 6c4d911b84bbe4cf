package template

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// MaxBytes is the largest template that is read, in bytes.
const MaxBytes = 64 << 10

// digestLength is how many hexadecimal digits of the SHA-256 tell templates apart.
const digestLength = 16

// Read decodes a template strictly. Its error is an *InvalidError that says all that is
// wrong; the findings say what is not wrong and yet a mistake as a rule. The digest of
// what is accepted depends on neither the order of keys nor white space.
func Read(raw []byte) (rollout.Template, []Finding, error) {
	p := &problems{}
	if len(raw) > MaxBytes {
		p.add(manifestPath, "is larger than 64 KiB: move files to a secret or a bucket that is mounted (volumes), and long values to a secret (valueSource.secretKeyRef)")
		return rollout.Template{}, nil, p.err()
	}
	if !utf8.Valid(raw) || !json.Valid(raw) {
		p.add(manifestPath, "is not JSON in UTF-8")
		return rollout.Template{}, nil, p.err()
	}
	(&checker{p}).value(manifestPath, root, raw)
	tree, _ := decode(raw).(map[string]any)
	if tree != nil {
		refuse(p, tree)
	}
	if err := p.err(); err != nil {
		return rollout.Template{}, nil, err
	}
	t, err := canonical(tree)
	return t, findings(tree), err
}

// decode reads valid JSON with the numbers as they are written.
func decode(raw []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	return value
}

// canonical writes a template in its one form: encoding/json sorts keys.
func canonical(tree map[string]any) (rollout.Template, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(tree); err != nil {
		return rollout.Template{}, fmt.Errorf("writing %s: %w", manifestPath, err)
	}
	whole := bytes.TrimSuffix(text.Bytes(), []byte("\n"))
	sum := sha256.Sum256(whole)
	return rollout.Template{Digest: hex.EncodeToString(sum[:])[:digestLength], JSON: string(whole), Image: imageOf(tree)}, nil
}

// longestTitle bounds what is told of an image, in bytes.
const longestTitle = 256

// imageOf is the image of the first container of a template that was checked.
func imageOf(tree map[string]any) string {
	containers, _ := tree["containers"].([]any)
	if len(containers) == 0 {
		return ""
	}
	first, _ := containers[0].(map[string]any)
	image, _ := first["image"].(string)
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, image[:min(len(image), longestTitle)])
}
