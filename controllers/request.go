package controllers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// requestAnnotations are the fields of a person's request.
var requestAnnotations = []string{
	v1alpha1.RequestID, v1alpha1.RequestVerb, v1alpha1.RequestAttempt, v1alpha1.RequestStep,
	v1alpha1.RequestRevision, v1alpha1.RequestMode, v1alpha1.RequestReason, v1alpha1.RequestBy,
}

// revisionName is what a revision can be called; fullName is how Cloud Run's API
// and gcloud's --format write it.
var (
	revisionName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	fullName     = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/services/[^/]+/revisions/`)
)

// shortRevision takes the short name out of what a person wrote; "" when it is
// none.
func shortRevision(text string) string {
	if prefix := fullName.FindString(text); prefix != "" {
		text = text[len(prefix):]
	}
	return revisionName.FindString(text)
}

// requestOf reads a person's request from the annotations. What is wrong with it
// is said in Malformed, and answered like any other request.
func requestOf(ro *v1alpha1.CloudRunRollout) rollout.Request {
	a := ro.Annotations
	if a[v1alpha1.RequestVerb] == "" && a[v1alpha1.RequestID] == "" {
		return rollout.Request{}
	}
	req := rollout.Request{
		ID:     requestID(a),
		Verb:   rollout.Verb(shorten(field(a, v1alpha1.RequestVerb), v1alpha1.MaxRequestVerb)),
		Step:   -1,
		By:     field(a, v1alpha1.RequestBy),
		Reason: field(a, v1alpha1.RequestReason),

		Malformed: mended(a),
	}
	if text := strings.TrimSpace(a[v1alpha1.RequestRevision]); text != "" {
		if req.Revision = shortRevision(text); req.Revision == "" {
			req.Malformed = fmt.Sprintf("revision must be a revision's name, such as web-00042-k8c, not %q", field(a, v1alpha1.RequestRevision))
		}
	}
	if req.Verb == rollout.Promote {
		readModes(&req, field(a, v1alpha1.RequestMode))
	}
	if text := field(a, v1alpha1.RequestAttempt); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			req.Malformed = fmt.Sprintf("attempt must be the number in status.attempt.id, not %q", text)
		}
		req.Attempt = n
	}
	if text, _, _ := strings.Cut(field(a, v1alpha1.RequestStep), "/"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			req.Malformed = fmt.Sprintf("step must be the number before the slash in status.step, not %q", field(a, v1alpha1.RequestStep))
		}
		req.Step = n
	}
	return req
}

// readModes reads how far a promote goes.
func readModes(req *rollout.Request, text string) {
	for mode := range strings.SplitSeq(text, ",") {
		switch strings.TrimSpace(mode) {
		case "":
		case v1alpha1.ModeFull:
			req.Full = true
		case v1alpha1.ModeOverride:
			req.Override = true
		default:
			req.Malformed = fmt.Sprintf("mode must be %s, %s or both with a comma between them, not %q", v1alpha1.ModeFull, v1alpha1.ModeOverride, text)
		}
	}
}

// requestID tells one request from the next. A person who wrote none gets one
// made from the other fields, so that the request is answered, once.
func requestID(annotations map[string]string) string {
	if id := field(annotations, v1alpha1.RequestID); id != "" {
		return id
	}
	hash := sha256.New()
	for _, key := range requestAnnotations {
		hash.Write([]byte(annotations[key] + "\n"))
	}
	return "auto-" + hex.EncodeToString(hash.Sum(nil)[:8])
}

// mended says which field, of those that say what to do and when, is not what
// field made of it. What does not print could hide a step that was meant, or make a
// verb of what is none.
func mended(annotations map[string]string) string {
	for _, key := range []string{v1alpha1.RequestVerb, v1alpha1.RequestMode, v1alpha1.RequestAttempt, v1alpha1.RequestStep} {
		long := key == v1alpha1.RequestVerb && len(field(annotations, key)) > v1alpha1.MaxRequestVerb
		if long || field(annotations, key) != strings.Join(strings.Fields(annotations[key]), " ") {
			return path.Base(key) + " is too long, or has characters that do not print: write it anew"
		}
	}
	return ""
}

// field reads one annotation, bounded, on one line and without what a terminal
// would obey: it is shown to others.
func field(annotations map[string]string, key string) string {
	text := strings.Join(strings.Fields(annotations[key]), " ")
	printable := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
	return shorten(printable, v1alpha1.MaxRequestField)
}
