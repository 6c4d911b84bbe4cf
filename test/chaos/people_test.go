package chaos

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// kubectl runs kubectl in the object's namespace.
func (s *stage) kubectl(args ...string) {
	s.t.Helper()
	program, err := controlplane.Kubectl(s.t.Context(), io.Discard)
	if err != nil {
		s.t.Fatal(err)
	}
	config := filepath.Join(s.t.TempDir(), "kubeconfig")
	if err := s.plane.WriteKubeconfig(config); err != nil {
		s.t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(s.t.Context(), program, append([]string{"--kubeconfig", config, "--namespace", s.key.Namespace}, args...)...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("kubectl %v: %v\n%s", args, err, &said)
	}
}

// gone tells whether the object is not there any more.
func (s *stage) gone() bool {
	s.t.Helper()
	err := s.people.Get(s.t.Context(), s.key, &v1alpha1.CloudRunRollout{})
	if err != nil && !apierrors.IsNotFound(err) {
		s.t.Fatal(err)
	}
	if err != nil {
		s.notice()
	}
	return err != nil
}

// notice writes down that the object is gone, when it is seen for the first time.
func (s *stage) notice() {
	s.t.Helper()
	if !s.ended {
		s.ended = true
		s.asked(func(now time.Time) (invariants.Event, error) { return invariants.Gone{At: invariants.At(now)}, nil })
	}
}

// somebody is a user that may do what the manager's role allows, until the binding
// that is returned is deleted.
func (s *stage) somebody() (name string, binding *rbacv1.ClusterRoleBinding) {
	s.t.Helper()
	name = "manager-of-" + s.key.Namespace
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"namespaces"}, ResourceNames: []string{"kube-system"}, Verbs: []string{"get"}},
		{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
		{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"cloudrunrollouts"}, Verbs: []string{"get", "list", "watch", "patch"}},
	}}
	status := role.DeepCopy()
	status.Name += "-status"
	status.Rules = []rbacv1.PolicyRule{
		{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"cloudrunrollouts/status"}, Verbs: []string{"get", "update"}},
	}
	for _, r := range []*rbacv1.ClusterRole{role, status} {
		binding = &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: r.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: r.Name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
		}
		if err := s.people.Create(s.t.Context(), r); err != nil {
			s.t.Fatal(err)
		}
		if err := s.people.Create(s.t.Context(), binding); err != nil {
			s.t.Fatal(err)
		}
	}
	return name, binding
}

func TestPeople(t *testing.T) {
	t.Parallel()
	scenarios := []scenario{
		{"an object that is created again goes on with the way back of the first", false, func(s *stage) {
			s.begun("web:2")
			s.deleteObject()
			s.await("it is gone", s.gone)
			s.apply(manifest)
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"steps that are edited midway count from the next evaluation on", false, func(s *stage) {
			s.begun("web:2")
			s.edit(func(spec *v1alpha1.CloudRunRolloutSpec) {
				spec.Strategy.Steps = []v1alpha1.Step{{Weight: 20, Bake: "2m"}, {Weight: 30, Bake: "3m"}, {Weight: 100, Bake: "2m"}}
			})
			s.becomes("Completed/Completed")
			s.wrote(out[0], map[string]int{"web-1": 70, "web-2": 30}, out[2])
		}},
		{"a threshold that is lowered midway holds from then on", false, func(s *stage) {
			s.edit(func(spec *v1alpha1.CloudRunRolloutSpec) { spec.Analysis.Checks = []v1alpha1.Check{errorsUpTo(50)} })
			s.begun("web:bad")
			s.edit(func(spec *v1alpha1.CloudRunRolloutSpec) { spec.Analysis.Checks = []v1alpha1.Check{errorsUpTo(1)} })
			s.becomes("RolledBack/RolledBack")
			s.await("stable serves everything", func() bool { return s.serves("web-1") == 100 })
		}},
		{"another candidate midway begins with its own evidence, after the first is back at nothing", false, func(s *stage) {
			s.begun("web:2")
			s.deploy("web:3", "web-3")
			s.edit(func(spec *v1alpha1.CloudRunRolloutSpec) { spec.CandidateRevision = "web-3" })
			s.await("it is out", func() bool { return s.serves("web-3") == 100 && s.is() == "Completed/Completed" })
			third := []map[string]int{{"web-1": 80, "web-3": 20}, {"web-1": 50, "web-3": 50}, {"web-3": 100}}
			s.wrote(append([]map[string]int{out[0], {"web-1": 100}}, third...)...)
		}},
		{"a manager that may not save any more writes nothing, and goes on when it may again", false, func(s *stage) {
			name, binding := s.somebody()
			who, err := s.plane.User(name)
			if err != nil {
				s.t.Fatal(err)
			}
			s.newOperatorAs(who, alone...).startLeading()
			s.deploy("web:2", "web-2")
			s.bakes("web-2", 20)
			if err := s.people.Delete(s.t.Context(), binding); err != nil {
				s.t.Fatal(err)
			}
			sent := len(s.patches())
			settled := s.passes(2 * time.Minute) // the apiserver learns of it by a watch of its own
			s.await("the right is gone", settled)
			s.while(s.silent(sent), s.passes(still))
			binding.ResourceVersion = ""
			if err := s.people.Create(s.t.Context(), binding); err != nil {
				s.t.Fatal(err)
			}
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
	}
	for _, weight := range []int{20, 50, 100} {
		scenarios = append(scenarios, scenario{fmt.Sprintf("a status that is wiped at %d%% is taken up from the claim", weight), weight == 20, func(s *stage) {
			s.newOperator(alone...).startLeading()
			s.deploy("web:2", "web-2")
			s.bakes("web-2", weight)
			s.kubectl("patch", "crr", "web", "--subresource=status", "--type=merge", `--patch={"status":null}`)
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}})
	}
	perform(t, scenarios)
}

// errorsUpTo is the check of errors with another limit.
func errorsUpTo(percent int) v1alpha1.Check {
	return v1alpha1.Check{
		Name: "errors", OnBreach: v1alpha1.BreachRollback,
		ServerErrors: &v1alpha1.ServerErrors{MaxPercent: intstr.FromInt(percent), MinRequests: 100},
	}
}
