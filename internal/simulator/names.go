package simulator

import "strings"

// serviceName is projects/P/locations/L/services/S in its parts.
type serviceName struct {
	Project  string
	Location string
	Service  string
}

func parseServiceName(full string) (serviceName, bool) {
	p := strings.Split(full, "/")
	if len(p) != 6 || p[0] != "projects" || p[2] != "locations" || p[4] != "services" {
		return serviceName{}, false
	}
	return serviceName{p[1], p[3], p[5]}, p[1] != "" && p[3] != "" && p[5] != ""
}

func (n serviceName) parent() string {
	return "projects/" + n.Project + "/locations/" + n.Location
}

func (n serviceName) String() string {
	return n.parent() + "/services/" + n.Service
}

func (n serviceName) revision(short string) string {
	return n.String() + "/revisions/" + short
}

// shortName is the last segment of a resource name.
func shortName(full string) string {
	return full[strings.LastIndexByte(full, '/')+1:]
}

// splitRevision cuts projects/.../services/S/revisions/R into service and R.
func splitRevision(full string) (service, revision string, ok bool) {
	service, revision, ok = strings.Cut(full, "/revisions/")
	return service, revision, ok && revision != ""
}

// regionCodes are the region parts of the service URLs that the docs show.
var regionCodes = map[string]string{
	"asia-northeast1": "an",
	"europe-west1":    "ew",
	"us-central1":     "uc",
	"us-east1":        "ue",
	"us-west1":        "uw",
}

func regionCode(location string) string {
	if code, ok := regionCodes[location]; ok {
		return code
	}
	return "zz"
}
