package config

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// needs are the permissions that the calls of Google's APIs need, by the package
// that makes them and the call's name in its SDK (IAM permissions reference, by
// method). The fault of a missing one is told with the same name: internal/gateway.
var needs = map[string]map[string]string{
	"cloudrun": {
		"Projects.Locations.Services.Get":           "run.services.get",
		"Projects.Locations.Services.List":          "run.services.list",
		"Projects.Locations.Services.Patch":         "run.services.update",
		"Projects.Locations.Services.Revisions.Get": "run.revisions.get",
	},
	"gateway": {
		"Routers.Get":                       "compute.routers.get",
		"Routers.GetRouterStatus":           "compute.routers.get",
		"Routers.List":                      "compute.routers.list",
		"Subnetworks.Get":                   "compute.subnetworks.get",
		"Projects.Locations.Connectors.Get": "vpcaccess.connectors.get",
	},
	"identity": {
		"Projects.ServiceAccounts.GenerateAccessToken": "iam.serviceAccounts.getAccessToken",
	},
	"monitoring": {
		"GetMetricDescriptor": "monitoring.metricDescriptors.get",
		"ListTimeSeries":      "monitoring.timeSeries.list",
		"QueryRange":          "monitoring.timeSeries.list",
	},
}

// roleFiles are the roles, and which packages' calls they are for.
var roleFiles = map[string][]string{
	"account.yaml":  {"identity"},
	"services.yaml": {"cloudrun"},
	"project.yaml":  {"cloudrun", "monitoring"},
	"network.yaml":  {"gateway", "monitoring"},
}

// sdkCall is a call through a client's field api, vpcAccess or web.
var sdkCall = regexp.MustCompile(`\.(?:api|vpcAccess|web)\.((?:[A-Z]\w*\.)*[A-Z]\w*)\(`)

// TestTheCallsAreTheOnesThatPermissionsAreKnownFor reads the adapters: a call that
// is new needs a permission, and one that is gone needs none.
func TestTheCallsAreTheOnesThatPermissionsAreKnownFor(t *testing.T) {
	for adapter, known := range needs {
		calls := map[string]bool{}
		for _, text := range sources(t, filepath.Join("../../internal", adapter)) {
			for _, match := range sdkCall.FindAllStringSubmatch(text, -1) {
				calls[match[1]] = true
			}
		}
		delete(calls, "Close") // the connection, not a call
		got, want := slices.Sorted(maps.Keys(calls)), slices.Sorted(maps.Keys(known))
		if !slices.Equal(got, want) {
			t.Errorf("internal/%s calls\n%s\n\nand permissions are known for\n%s", adapter, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// sources are the Go files of a directory that are part of the product.
func sources(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(files), err)
	}
	var texts []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

func TestTheRolesPermitWhatIsCalledAndNoMore(t *testing.T) {
	granted, needed := map[string]bool{}, map[string]bool{}
	for file, adapters := range roleFiles {
		for _, permission := range role(t, file) {
			granted[permission] = true
			if !slices.ContainsFunc(adapters, func(a string) bool { return slices.Contains(slices.Collect(maps.Values(needs[a])), permission) }) {
				t.Errorf("%s grants %s, which nothing of %v needs", file, permission, adapters)
			}
		}
	}
	for _, calls := range needs {
		for _, permission := range calls {
			needed[permission] = true
		}
	}
	same(t, slices.Sorted(maps.Keys(granted)), strings.Join(slices.Sorted(maps.Keys(needed)), "\n"))
}

// TestWhatWritesIsGrantedByTheRoleOfServicesAlone: the others are bound on projects, and
// tokens of accounts on those.
func TestWhatWritesIsGrantedByTheRoleOfServicesAlone(t *testing.T) {
	for file := range roleFiles {
		for _, permission := range role(t, file) {
			verb := permission[strings.LastIndex(permission, ".")+1:]
			if file == "account.yaml" && permission == "iam.serviceAccounts.getAccessToken" {
				continue
			}
			if writes := verb != "get" && verb != "list"; writes != (file == "services.yaml" && permission == "run.services.update") {
				t.Errorf("%s grants %s", file, permission)
			}
		}
	}
}

// role reads the permissions of a file of config/iam, each of which has its reason
// beside it.
func role(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../config/iam", file))
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		Title, Description, Stage string
		IncludedPermissions       []string `json:"includedPermissions"`
	}
	if err := yaml.UnmarshalStrict(text, &made); err != nil {
		t.Fatal(err)
	}
	if made.Title == "" || made.Description == "" || made.Stage != "GA" || len(made.IncludedPermissions) == 0 || !slices.IsSorted(made.IncludedPermissions) {
		t.Errorf("%s says %+v", file, made)
	}
	for _, permission := range made.IncludedPermissions {
		if !regexp.MustCompile(`(?m)^- ` + regexp.QuoteMeta(permission) + ` # .{20,}$`).Match(text) {
			t.Errorf("%s does not say why it grants %s", file, permission)
		}
	}
	return made.IncludedPermissions
}
