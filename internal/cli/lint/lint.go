package lint

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/hours"
	"github.com/sluice-rollouts/sluice/internal/promql"
	"github.com/sluice-rollouts/sluice/internal/template"
)

// Finding is an object of a manifest and what is wrong with it.
type Finding struct {
	// Kind is KindRollout, KindAccess or KindFreeze, and tells which of these was read,
	// with its defaults filled in. It is empty where there are problems.
	Kind    string
	Rollout v1alpha1.CloudRunRollout
	Access  v1alpha1.CloudRunAccess
	Freeze  v1alpha1.RolloutFreeze
	// Name is the object's name as it was written: with the namespace of a rollout, and
	// with the kind of what is no rollout.
	Name string
	// Problems are what the API server would not take, in its words, and what the
	// controller would not.
	Problems []string
	// Warnings are what both take and is a mistake as a rule.
	Warnings []string
	// Notes are what is no mistake of this object, and may matter to it.
	Notes []string
}

// Wrong tells whether there is a problem.
func (f Finding) Wrong() bool { return len(f.Problems) > 0 }

// Manifest checks the objects of a manifest that are of our kinds. Those of others are
// passed over. An error says that the text cannot be read at all.
func Manifest(ctx context.Context, r io.Reader) ([]Finding, error) {
	var findings []Finding
	documents := utilyaml.NewYAMLReader(bufio.NewReader(r))
	for number := 1; ; number++ {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return findings, nil
		}
		if err != nil {
			return nil, err
		}
		obj, err := object(text)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", number, err)
		}
		schemaOf, known := ours[obj.GetKind()]
		if !known || obj.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
			continue
		}
		s, err := schemaOf()
		if err != nil {
			return nil, err
		}
		findings = append(findings, s.finding(ctx, obj))
	}
}

// object reads one document. A key that is written twice is a mistake.
func object(text []byte) (*unstructured.Unstructured, error) {
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	obj := &unstructured.Unstructured{}
	if bytes.Equal(bytes.TrimSpace(asJSON), []byte("null")) {
		return obj, nil
	}
	return obj, json.Unmarshal(asJSON, &obj.Object)
}

// finding checks one object.
func (s *schema) finding(ctx context.Context, obj *unstructured.Unstructured) Finding {
	f := Finding{Kind: obj.GetKind(), Name: nameOf(obj)}
	if version := obj.GroupVersionKind().Version; version != v1alpha1.GroupVersion.Version {
		f.Problems = []string{fmt.Sprintf("apiVersion: write %s, not %s", v1alpha1.GroupVersion, obj.GetAPIVersion())}
		return f
	}
	if obj.GetName() == "" && obj.GetGenerateName() == "" {
		f.Problems = append(f.Problems, "metadata.name: Required value: name or generateName is required")
	}
	if name := obj.GetName(); name != "" {
		for _, wrong := range validation.NameIsDNSSubdomain(name, false) {
			f.Problems = append(f.Problems, fmt.Sprintf("metadata.name: Invalid value: %q: %s", name, wrong))
		}
	}
	f.Problems = append(f.Problems, s.check(ctx, obj.Object)...)
	if f.Wrong() {
		f.Notes = timely(f.Problems)
		return f
	}
	if err := f.read(obj.Object); err != nil {
		f.Problems = []string{err.Error()}
		return f
	}
	f.beyond()
	return f
}

// read turns a checked object into a Go value.
func (f *Finding) read(obj map[string]any) error {
	switch f.Kind {
	case KindAccess:
		return into(obj, &f.Access)
	case KindFreeze:
		return into(obj, &f.Freeze)
	}
	return into(obj, &f.Rollout)
}

// beyond checks what the schema lets through.
func (f *Finding) beyond() {
	if f.Kind == KindRollout {
		f.Problems = append(windows(f.Rollout.Spec.Strategy.Windows), queries(f.Rollout.Spec.Analysis.Checks)...)
		f.template()
	}
}

// timely says how a time is written, which the API server does not.
func timely(problems []string) []string {
	if !slices.ContainsFunc(problems, func(problem string) bool { return strings.Contains(problem, "date-time") }) {
		return nil
	}
	return []string{"write a time with its offset from UTC, such as 2026-12-24T00:00:00+09:00"}
}

// template checks what the schema lets through, as the controller does.
func (f *Finding) template() {
	if f.Rollout.Spec.Template == nil {
		return
	}
	_, found, err := template.Read(f.Rollout.Spec.Template.Raw)
	if invalid, ok := errors.AsType[*template.InvalidError](err); ok {
		f.Problems = append(f.Problems, invalid.Problems...)
		if invalid.More > 0 {
			f.Problems = append(f.Problems, fmt.Sprintf("spec.template: %d more problems", invalid.More))
		}
	} else if err != nil {
		f.Problems = append(f.Problems, err.Error())
	}
	for _, finding := range found {
		f.Warnings = append(f.Warnings, finding.String())
	}
}

// windows are those that the schema admits and nobody can read; the controller says so
// in Accepted.
func windows(all []v1alpha1.Window) []string {
	var problems []string
	for i, w := range all {
		duration, err := time.ParseDuration(string(w.Duration))
		if err == nil {
			_, err = hours.ParseWindow(w.Schedule, duration, w.TimeZone)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("spec.strategy.windows[%d].%s", i, err))
		}
	}
	return problems
}

// queries are those that are no PromQL; the controller says so in Accepted, in the same
// words.
func queries(checks []v1alpha1.Check) []string {
	var problems []string
	for _, c := range checks {
		if c.Query.PromQL == "" {
			continue
		}
		if _, err := promql.Parse(c.Query.PromQL); err != nil {
			problems = append(problems, fmt.Sprintf("spec.analysis.checks[%s].query.promql: %s", c.Name, err))
		}
	}
	return problems
}

func nameOf(obj *unstructured.Unstructured) string {
	name := obj.GetName()
	if name == "" {
		name = obj.GetGenerateName() + "(no name)"
	}
	if obj.GetKind() != KindRollout { // those have no namespace
		return obj.GetKind() + " " + name
	}
	if obj.GetNamespace() != "" {
		name = obj.GetNamespace() + "/" + name
	}
	return name
}
