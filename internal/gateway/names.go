package gateway

import (
	"regexp"
	"strings"
)

// place is a region of a project.
type place struct{ project, region string }

func (p place) String() string { return p.project + " in " + p.region }

// routerName and subnetName name what a place has.
type routerName struct {
	place
	name string
}

type subnetName struct {
	place
	name string
}

// The parts of resource names (compute v1 discovery, the patterns of its paths).
// A name that does not match is never made part of a path, nor one that is longer
// than a status can keep: a rollout that cannot be saved cannot go back either.
var (
	projectPart = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{0,29}$`)
	regionPart  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	namePart    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	number      = regexp.MustCompile(`^[0-9]+$`)
)

// parse reads the name of a resource of a collection, in any of the forms in
// which it is written: short, from its scope on, from its project on, or as a URL.
// What it does not say is as at home. It fails on what is no such name.
func parse(text, collection string, home place) (place, string, bool) {
	at := home
	_, path, long := strings.Cut("/"+text, "/projects/")
	if long {
		at.project, text, _ = strings.Cut(path, "/")
	}
	parts := strings.Split(text, "/")
	if (parts[0] == "regions" || parts[0] == "locations") && len(parts) == 4 {
		at.region, parts, long = parts[1], parts[2:], true
	} else if parts[0] == "global" {
		parts, long = parts[1:], true
	}
	if long && len(parts) == 2 && parts[0] == collection {
		parts, long = parts[1:], false
	}
	ok := !long && len(parts) == 1 && namePart.MatchString(parts[0]) &&
		projectPart.MatchString(at.project) && regionPart.MatchString(at.region)
	if !ok {
		return place{}, "", false
	}
	return at, parts[0], true
}

// same tells whether two names may mean one project: one of them may be its
// number.
func same(project, other string) bool {
	return project == other || number.MatchString(project) != number.MatchString(other)
}
