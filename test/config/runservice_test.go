package config

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// TestTheRightsOnRunServicesAreTheOnlyDifference: config/config-connector adds a role
// and its binding to config/default.
func TestTheRightsOnRunServicesAreTheOnlyDifference(t *testing.T) {
	objects, err := render("../../config/config-connector")
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != len(installed)+2 {
		t.Errorf("%d objects, and %d without the rights", len(objects), len(installed))
	}
	const name = "sluice-config-connector"
	var rights []string
	bound := false
	for i := range objects {
		switch o := &objects[i]; {
		case o.GetName() != name:
		case o.GetKind() == "ClusterRole":
			for _, rule := range convert[rbacv1.ClusterRole](t, o).Rules {
				rights = append(rights, line(rule))
			}
		case o.GetKind() == "ClusterRoleBinding":
			binding := convert[rbacv1.ClusterRoleBinding](t, o)
			bound = binding.RoleRef.Name == name && len(binding.Subjects) == 1 &&
				binding.Subjects[0] == rbacv1.Subject{Kind: "ServiceAccount", Name: account, Namespace: home}
		}
	}
	same(t, rights, `runservices.run.cnrm.cloud.google.com: get patch
configconnectors,configconnectorcontexts.core.cnrm.cloud.google.com: get`)
	if !bound {
		t.Error("they are not bound to the manager's account alone")
	}
}
