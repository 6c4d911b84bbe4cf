package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// DefaultAccount is what a list of accounts calls the one that a project's services run
// as where a template names none.
const DefaultAccount = "default"

// Template is what of a template is bound: who its revision is, and where its code is from.
type Template struct {
	// Account is the e-mail address of the service account; "" is the project's default.
	Account string
	// Images are those of all containers, sandboxes and base images, as they are written.
	Images []Image
	// Sources are the places of code that is in no image.
	Sources []string
	// Identities are the places of identities that are no service account.
	Identities []string
}

// Image is an image that a template names.
type Image struct {
	Path string // where: spec.template.containers[0].image
	Name string // with tag and digest
}

// Deploys are the templates that may be deployed. The zero Deploys are all.
type Deploys struct {
	// Accounts are e-mail addresses, "*@" and the domain of a project's own accounts for
	// all of them, or DefaultAccount; nil for any.
	Accounts []string
	// Repositories are images' names without tag and digest, or how they begin: a path
	// with "/*" at the end; nil for any.
	Repositories []string
}

const (
	// longestImage and longestAccount bound what is looked for in lists, in bytes.
	longestImage   = 255
	longestAccount = 254
)

var (
	// wholeImage is an image's name that begins with its registry. It has no part that a
	// registry could take for another path, such as "..".
	wholeImage = regexp.MustCompile(`^((?:[-a-z0-9]+[.])+[-a-z0-9]+(?::[0-9]+)?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+)(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@[a-z0-9]+:[0-9a-f]+)?$`)
	anAddress  = regexp.MustCompile(`^[a-z0-9][-a-z0-9]*@[a-z0-9][-a-z0-9.]*[.]gserviceaccount[.]com$`)
)

// repository is an image's name without tag and digest; "" where it is not whole.
func repository(image string) string {
	m := wholeImage.FindStringSubmatch(image)
	if m == nil || len(m[1]) > longestImage {
		return ""
	}
	return m[1]
}

// lacking is what a binding would have to list for a template.
type lacking struct{ accounts, repositories []string }

func (l lacking) nothing() bool { return len(l.accounts) == 0 && len(l.repositories) == 0 }

// unlisted says what of a template is not listed. What no list can match is in neither.
func (d Deploys) unlisted(t Template) lacking {
	all, rest := wants(t), lacking{}
	if d.Accounts != nil {
		rest.accounts = slices.DeleteFunc(all.accounts, func(a string) bool {
			return slices.ContainsFunc(d.Accounts, func(pattern string) bool { return isAccount(a, pattern) })
		})
	}
	if d.Repositories != nil {
		rest.repositories = slices.DeleteFunc(all.repositories, func(r string) bool {
			return slices.ContainsFunc(d.Repositories, func(pattern string) bool { return isIn(r, pattern) })
		})
	}
	return rest
}

// wants is what a list would have to have for a template and nothing else.
func wants(t Template) lacking {
	var all lacking
	switch {
	case t.Account == "":
		all.accounts = []string{DefaultAccount}
	case isAddress(t.Account):
		all.accounts = []string{t.Account}
	}
	for _, image := range t.Images {
		if from := repository(image.Name); from != "" && !slices.Contains(all.repositories, from) {
			all.repositories = append(all.repositories, from)
		}
	}
	return all
}

func isAddress(account string) bool {
	return len(account) <= longestAccount && anAddress.MatchString(account)
}

// isAccount tells whether a pattern is about an account.
func isAccount(account, pattern string) bool {
	if domain, open := strings.CutPrefix(pattern, all); open {
		return strings.HasPrefix(domain, "@") && strings.HasSuffix(account, domain)
	}
	return account == pattern
}

// isIn tells whether a pattern is about a repository.
func isIn(repository, pattern string) bool {
	if beginning, open := strings.CutSuffix(pattern, all); open {
		return strings.HasSuffix(beginning, "/") && strings.HasPrefix(repository, beginning)
	}
	return repository == pattern
}

// unlistable says what of a template no list can match, and what to write instead.
func (d Deploys) unlistable(t Template) []string {
	var told []string
	if d.Accounts != nil {
		if t.Account != "" && !isAddress(t.Account) {
			told = append(told, "spec.template.serviceAccount: write the e-mail address of a service account")
		}
		for _, path := range t.Identities {
			told = append(told, path+": remove it: it is an identity beside the service accounts that are listed")
		}
	}
	if d.Repositories != nil {
		told = append(told, t.unplaceable()...)
	}
	return told
}

// unplaceable says which code of a template is in no repository that could be listed.
func (t Template) unplaceable() []string {
	var told []string
	if len(t.Images) == 0 { // it was not read
		told = append(told, "spec.template.containers: write at least one container with an image")
	}
	for _, image := range t.Images {
		if repository(image.Name) == "" {
			told = append(told, image.Path+": write the whole name of an image, in lowercase and with its registry, such as docker.io/library/nginx")
		}
	}
	for _, path := range t.Sources {
		told = append(told, path+": remove it: its code is in no image repository")
	}
	return told
}

// permit tells whether a template is within these.
func (d Deploys) permit(t Template) bool { return d.unlisted(t).nothing() && len(d.unlistable(t)) == 0 }

// flow writes what is lacking as the field deploy of a CloudRunAccess, in the flow style
// of YAML.
func (l lacking) flow() string {
	var fields []string
	if len(l.accounts) > 0 {
		fields = append(fields, "serviceAccounts: ["+scalars(l.accounts)+"]")
	}
	if len(l.repositories) > 0 {
		fields = append(fields, "imageRepositories: ["+scalars(l.repositories)+"]")
	}
	return "deploy: {" + strings.Join(fields, ", ") + "}"
}

// additions says what would be added where.
func (l lacking) additions() string {
	var to []string
	if len(l.accounts) > 0 {
		to = append(to, scalars(l.accounts)+" to spec.deploy.serviceAccounts")
	}
	if len(l.repositories) > 0 {
		to = append(to, scalars(l.repositories)+" to spec.deploy.imageRepositories")
	}
	return strings.Join(to, " and ")
}

func scalars(names []string) string {
	written := make([]string, 0, len(names))
	for _, name := range names {
		written = append(written, scalar(name))
	}
	return strings.Join(written, ", ")
}

// String says what a template names, for people.
func (l lacking) String() string {
	var named []string
	for _, account := range l.accounts {
		if account == DefaultAccount {
			named = append(named, "no service account, and so the project's default one")
			continue
		}
		named = append(named, "service account "+account)
	}
	for _, r := range l.repositories {
		named = append(named, "image repository "+r)
	}
	return strings.Join(named, ", and ")
}

// outside says why a template may not be deployed by those bindings that let some be, and
// what its author or the platform team would write.
func (g Grant) outside(deploying []Binding, t Template) string {
	own := slices.IndexFunc(deploying, func(b Binding) bool { return b.alone(g.who) })
	b := deploying[max(own, 0)]
	if no := b.Deploys.unlistable(t); len(no) > 0 {
		return fmt.Sprintf("spec.deploy of CloudRunAccess %s cannot list what spec.template names: %s", b.Name, strings.Join(no, "; "))
	}
	rest := b.Deploys.unlisted(t)
	why := fmt.Sprintf("spec.template names %s, which spec.deploy of CloudRunAccess %s does not list", rest, b.Name)
	if slices.Contains(rest.accounts, DefaultAccount) {
		why += "; write spec.template.serviceAccount, or else"
	} else {
		why += ";"
	}
	if own >= 0 {
		return why + " the platform team would add " + rest.additions() + " there"
	}
	leave := "mayDeploy: true, " + wants(t).flow()
	if own := slices.IndexFunc(g.bindings, func(b Binding) bool { return b.alone(g.who) }); own >= 0 {
		return fmt.Sprintf("%s the platform team would write %s into spec of CloudRunAccess %s", why, leave, g.bindings[own].Name)
	}
	return why + " the platform team would create " + g.created(leave)
}
