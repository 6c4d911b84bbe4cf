package cloudrun

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// The parts of resource names. A name that does not match is never made part of
// a path.
var (
	projectPart  = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{0,99}$`)
	locationPart = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	namePart     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
)

// serviceName writes the full name of a service.
func serviceName(ref rollout.ServiceRef) (string, error) {
	switch {
	case !projectPart.MatchString(ref.Project):
		return "", fmt.Errorf("%q is no project", google.Clean(ref.Project))
	case !locationPart.MatchString(ref.Location):
		return "", fmt.Errorf("%q is no location", google.Clean(ref.Location))
	case !namePart.MatchString(ref.Name):
		return "", fmt.Errorf("%q is no service name", google.Clean(ref.Name))
	}
	return "projects/" + ref.Project + "/locations/" + ref.Location + "/services/" + ref.Name, nil
}

// revisionName writes the full name of a revision of a service.
func revisionName(ref rollout.ServiceRef, short string) (string, error) {
	service, err := serviceName(ref)
	if err != nil {
		return "", err
	}
	if !namePart.MatchString(short) {
		return "", fmt.Errorf("%q is no revision name", google.Clean(short))
	}
	return service + "/revisions/" + short, nil
}

// shortRevision reads a revision's name in either form: the API writes it in full
// in latestReadyRevision and short in traffic. The empty name stays empty.
func shortRevision(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	short := name
	if parts := strings.Split(name, "/"); len(parts) > 1 {
		if len(parts) != 8 || parts[0] != "projects" || parts[2] != "locations" || parts[4] != "services" ||
			parts[6] != "revisions" || parts[1] == "" || parts[3] == "" || parts[5] == "" {
			return "", fmt.Errorf("%q is no revision name", google.Clean(name))
		}
		short = parts[7]
	}
	if !namePart.MatchString(short) {
		return "", fmt.Errorf("%q is no revision name", google.Clean(name))
	}
	return short, nil
}

// lastPart returns what follows the last slash of a resource name. The project
// before it may be an id or a number, so whole names are not compared.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
