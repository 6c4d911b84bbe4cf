package lint

import (
	"cmp"
	"slices"

	"github.com/sluice-rollouts/sluice/internal/access"
	"github.com/sluice-rollouts/sluice/internal/binding"
)

// Bind notes of each rollout among the findings that no CloudRunAccess among them binds
// it, and warns where several do that contradict each other. Nothing is noted where there
// is none, or where one is wrong: then nobody knows what it binds. A rollout without a
// namespace is in the one given; "" where that is not known.
//
// The service of a RunService is not in its rollout, so that nothing is noted of those.
func Bind(findings []*Finding, namespace string) {
	var bindings []access.Binding
	for _, f := range findings {
		if f.Kind != KindAccess {
			continue
		}
		if f.Wrong() {
			return
		}
		bindings = append(bindings, binding.Of(&f.Access))
	}
	if len(bindings) == 0 {
		return
	}
	for _, f := range findings {
		if f.Kind == KindRollout && !f.Wrong() {
			f.bind(bindings, cmp.Or(f.Rollout.Namespace, namespace))
		}
	}
}

// bind says by the manager's own judgement whether a rollout is bound.
func (f *Finding) bind(bindings []access.Binding, namespace string) {
	target := f.Rollout.Spec.Target.Service
	if target == nil {
		return
	}
	if namespace == "" {
		f.Notes = append(f.Notes, "whether a CloudRunAccess binds it is not known: write metadata.namespace, or give -n")
		return
	}
	service := access.Service{Project: target.Project, Location: target.Location, Name: target.Name}
	who := access.Namespace{Name: namespace}
	alone := func(b access.Binding, who access.Namespace) bool {
		_, refusal := access.Admit([]access.Binding{b}, who, service)
		return refusal == nil
	}
	_, refusal := access.Admit(bindings, who, service)
	labels := slices.IndexFunc(bindings, func(b access.Binding) bool {
		return alone(b, access.Namespace{Name: namespace, Labels: b.Labels})
	})
	switch {
	case refusal == nil:
	case slices.ContainsFunc(bindings, func(b access.Binding) bool { return alone(b, who) }):
		f.Warnings = append(f.Warnings, refusal.Why+". "+refusal.Remedy)
	case labels >= 0:
		f.Notes = append(f.Notes, "CloudRunAccess "+bindings[labels].Name+" binds it only if namespace "+namespace+" has the labels of its spec.namespaceLabels")
	default:
		f.Notes = append(f.Notes, "of these files "+refusal.Why+"; one that is in none of them may. "+refusal.Remedy)
	}
}
