package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Refusal is why there is no grant, in two sentences.
type Refusal struct {
	Why string
	// Remedy is what the platform team would write: a whole manifest or, where the
	// namespace has a CloudRunAccess of its own, what is to be added to it.
	Remedy string
}

// manifest is what a CloudRunAccess of one namespace for one service is, in the flow
// style of YAML: its name, the namespace, and the services with what follows them.
const manifest = "{apiVersion: rollouts.sluice.dev/v1alpha1, kind: CloudRunAccess, metadata: {name: %s}, spec: {namespaces: [%s], services: [%s}}"

// entry is a service among those of a manifest.
func entry(ref rollout.ServiceRef) string {
	return fmt.Sprintf("{project: %s, locations: [%s], names: [%s]}", scalar(ref.Project), scalar(ref.Location), scalar(ref.Name))
}

// unbound refuses what nobody bound, and says what binds it and nothing more. What is
// added to a CloudRunAccess of several namespaces would be for all of them.
func unbound(bindings, theirs []Binding, who Namespace, ref rollout.ServiceRef) *Refusal {
	no := &Refusal{Why: fmt.Sprintf("no CloudRunAccess lets namespace %s roll out service %s of project %s in %s",
		who.Name, ref.Name, ref.Project, ref.Location)}
	if own := slices.IndexFunc(theirs, func(b Binding) bool { return b.alone(who.Name) }); own >= 0 {
		no.Remedy = fmt.Sprintf("The platform team would add %s to spec.services of CloudRunAccess %s.", entry(ref), theirs[own].Name)
		return no
	}
	no.Remedy = fmt.Sprintf("The platform team would create "+manifest+".", scalar(free(bindings, who.Name)), scalar(who.Name), entry(ref)+"]")
	return no
}

// torn refuses what is bound as several accounts: nobody can say which one is meant. One
// object that names none means the manager's own, and would be a way around another's.
func torn(granted []Binding, who Namespace, ref rollout.ServiceRef) *Refusal {
	first := granted[0]
	other := slices.IndexFunc(granted, func(b Binding) bool { return b.As != first.As })
	if other < 0 {
		return nil
	}
	return &Refusal{
		Why: fmt.Sprintf("CloudRunAccess %s lets namespace %s roll out service %s of project %s in %s as %s, and %s as %s",
			first.Name, who.Name, ref.Name, ref.Project, ref.Location, identity(first.As), granted[other].Name, identity(granted[other].As)),
		Remedy: "The platform team would write the same spec.googleServiceAccount in both, or in neither.",
	}
}

// identity names an account.
func identity(account string) string {
	if account == "" {
		return "the manager's own account"
	}
	return account
}

// free is a name that no binding has yet, so that what is created goes over nothing.
func free(bindings []Binding, name string) string {
	for number, tried := 2, name; ; number++ {
		if !slices.ContainsFunc(bindings, func(b Binding) bool { return b.Name == tried }) {
			return tried
		}
		tried = fmt.Sprintf("%s-%d", name, number)
	}
}

// words are those that YAML reads as something else than text, in one of its versions.
var words = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

// scalar is a name as YAML has it: in quotes where it does not begin with a letter, and
// would be read as a number or a date, or where it is one of those words.
func scalar(name string) string {
	if name < "a" || slices.Contains(words, name) {
		return fmt.Sprintf("%q", name)
	}
	return name
}

// longestName is the length of the longest name that is looked for in bindings.
const longestName = 63

// named tells whether a service can be bound at all. The names in a RunService are
// whatever its author wrote, and could say more than a name in what a refusal
// tells the platform team to write.
func named(ref rollout.ServiceRef) bool {
	for _, name := range []string{ref.Project, ref.Location, ref.Name} {
		if len(name) == 0 || len(name) > longestName || name[0] == '-' || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// unnamed refuses what no CloudRunAccess could bind.
func unnamed(who Namespace, ref rollout.ServiceRef) *Refusal {
	return &Refusal{
		Why: fmt.Sprintf("no CloudRunAccess can let namespace %s roll out service %.*q of project %.*q in %.*q",
			who.Name, longestName, ref.Name, longestName, ref.Project, longestName, ref.Location),
		Remedy: "Correct the target: a project's ID, a location and a service's name are lowercase letters, digits and hyphens.",
	}
}
