package tenants_test

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestAFloodOfOneNamespaceIsAskedAboutUpToItsLimit, and the rollout of another namespace
// goes on beside it. What the first of the flood leave is taken by the next.
func TestAFloodOfOneNamespaceIsAskedAboutUpToItsLimit(t *testing.T) {
	t.Parallel()
	const flood, most = 200, 5
	s := newStage(t, 1)
	s.r.MostRollouts = most
	web := v1alpha1.ServiceReference{Project: "acme-prod", Location: "europe-west1", Name: "web"}
	for i := range flood {
		s.apply("shop", v1alpha1.ServiceReference{Project: web.Project, Location: web.Location, Name: fmt.Sprintf("flood-%03d", i)})
	}
	s.apply("bank", web)
	s.town.accesses = []v1alpha1.CloudRunAccess{{ObjectMeta: metav1.ObjectMeta{Name: "all"}, Spec: v1alpha1.CloudRunAccessSpec{
		Namespaces: []string{"*"}, NetworkProjects: networks,
		Services: []v1alpha1.AccessibleServices{{Project: web.Project, Locations: []string{"*"}, Names: []string{"*"}}},
	}}}
	asked := func() (names int) {
		for path := range s.paths {
			if strings.Contains(path, "/services/flood-") {
				names++
			}
		}
		return names
	}
	for range 3 {
		s.minute()
	}
	s.deploy(web, "fine")
	for range 30 {
		s.minute()
	}
	told := 0
	for _, ro := range s.rollouts() {
		switch {
		case ro.Namespace == "bank" && ro.Status.Phase != v1alpha1.PhaseCompleted:
			t.Errorf("beside a flood it is %s: %+v", ro.Status.Phase, ro.Status.Conditions)
		case ro.Status.Conditions[0].Reason == v1alpha1.ReasonTooManyRollouts:
			told++
		}
	}
	if asked() != most || told != flood-most {
		t.Errorf("%d services of the flood were asked about, and %d rollouts say that they are too many", asked(), told)
	}
	for _, ro := range s.rollouts() {
		if strings.HasPrefix(ro.Name, "flood-00") {
			if err := s.client.Delete(t.Context(), &ro); err != nil {
				t.Fatal(err)
			}
			delete(s.due, client.ObjectKeyFromObject(&ro))
		}
	}
	for range 3 {
		s.minute()
	}
	if asked() != 2*most {
		t.Errorf("%d services of the flood were asked about once the first were gone", asked())
	}
}
