package modelplane_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// play sends the calls of a row to one server and writes down the answers, with
// ranks in the place of uids and resource versions.
type play struct {
	t        *testing.T
	kube     client.Client
	space    string
	said     []string
	uids     []types.UID
	versions []int
	specs    *specs
}

func newPlay(t *testing.T, kube client.Client, space string, known *specs) *play {
	t.Helper()
	return &play{t: t, kube: kube, space: space, specs: known}
}

// specs are the specs that were written down: each in full once, then by number.
type specs []string

func (s *specs) name(spec string) string {
	if i := slices.Index(*s, spec); i >= 0 {
		return fmt.Sprintf("spec%d", i+1)
	}
	*s = append(*s, spec)
	return fmt.Sprintf("spec%d %s", len(*s), spec)
}

// transcript is what was answered, under a heading.
func (p *play) transcript(heading string) string {
	slices.Sort(p.versions)
	p.versions = slices.Compact(p.versions)
	text := heading + "\n  " + strings.Join(p.said, "\n  ") + "\n\n"
	for rank, v := range slices.Backward(p.versions) {
		text = strings.ReplaceAll(text, fmt.Sprintf("«%d»", v), fmt.Sprintf("v%d", rank+1))
	}
	for i, uid := range p.uids {
		text = strings.ReplaceAll(text, string(uid), fmt.Sprintf("uid%d", i+1))
	}
	return strings.ReplaceAll(text, p.space, "default")
}

func (p *play) say(format string, args ...any) { p.said = append(p.said, fmt.Sprintf(format, args...)) }

// answer writes down what came of a call.
func (p *play) answer(call string, err error, o *v1alpha1.CloudRunRollout) {
	var status apierrors.APIStatus
	switch {
	case apierrors.IsInvalid(err) && errors.As(err, &status):
		p.say("%s: %d %s: %s", call, status.Status().Code, status.Status().Reason, fields(status.Status()))
	case errors.As(err, &status):
		p.say("%s: %d %s: %s", call, status.Status().Code, status.Status().Reason, p.marked(err.Error()))
	case err != nil:
		p.t.Errorf("%s: %v", call, err)
	case o == nil:
		p.say("%s: done", call)
	default:
		p.say("%s: %s", call, p.words(o))
	}
}

// event writes down what a watch told.
func (p *play) event(kind watch.EventType, o *v1alpha1.CloudRunRollout) {
	p.say("watch %s: %s", kind, p.words(o))
}

// words say what matters of an object.
func (p *play) words(o *v1alpha1.CloudRunRollout) string {
	if !slices.Contains(p.uids, o.UID) {
		p.uids = append(p.uids, o.UID)
	}
	text := []string{o.Name, string(o.UID), p.version(o.ResourceVersion), fmt.Sprintf("generation %d", o.Generation)}
	if o.Kind != "" {
		text = append(text, "kind "+o.Kind)
	}
	if o.CreationTimestamp.IsZero() || o.CreationTimestamp.Nanosecond() != 0 {
		p.t.Errorf("%s was created at %v", o.Name, o.CreationTimestamp)
	}
	if o.DeletionTimestamp != nil {
		text = append(text, "deleting, grace "+toJSON(p.t, o.DeletionGracePeriodSeconds))
	}
	if len(o.Finalizers) > 0 {
		text = append(text, fmt.Sprintf("finalizers %v", o.Finalizers))
	}
	if len(o.Annotations) > 0 {
		text = append(text, fmt.Sprintf("annotations %v", o.Annotations))
	}
	return strings.Join(append(text, p.specs.name(toJSON(p.t, o.Spec)), "status "+toJSON(p.t, o.Status)), ", ")
}

// version marks a resource version, so that its rank can take its place.
func (p *play) version(v string) string {
	if v == "" {
		return "no version"
	}
	number, err := strconv.Atoi(v)
	if err != nil {
		p.t.Fatal(err)
	}
	p.versions = append(p.versions, number)
	return fmt.Sprintf("«%d»", number)
}

var inBrackets = regexp.MustCompile(`\(\d+\)`)

// marked marks the resource versions of an error, which stand in brackets.
func (p *play) marked(text string) string {
	return inBrackets.ReplaceAllStringFunc(text, func(v string) string {
		return "(" + p.version(strings.Trim(v, "()")) + ")"
	})
}

// listed checks that a list is no older than any version seen.
func (p *play) listed(v string) {
	number, err := strconv.Atoi(v)
	if err != nil || number < slices.Max(append(p.versions, 0)) {
		p.t.Errorf("a list has version %q, after %v (%v)", v, p.versions, err)
	}
}

// fields are the fields that an object is refused for. That rules were not checked,
// because of what was wrong already, comes without a field.
func fields(status metav1.Status) string {
	var found []string
	for _, cause := range status.Details.Causes {
		if cause.Field != "<nil>" {
			found = append(found, cause.Field+": "+string(cause.Type))
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	return strings.Join(found, ", ")
}
