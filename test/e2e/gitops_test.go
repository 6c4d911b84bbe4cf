package e2e_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli"
)

// inGit is the manifest that tools apply again and again. With it the object has a
// finalizer, of which Git knows nothing.
var inGit = strings.Replace(manifest, "strategy: {", "strategy: {onDelete: Rollback, ", 1)

// git is a tool that applies what is in Git, in one of the ways that there are.
type git struct {
	kubectl
	stage *stage
	way   func(g git, text string)
}

// ways are how tools apply: Argo CD as the first unless it is told to be as the second,
// which is Config Sync, too, under another name.
var ways = map[string]func(g git, text string){
	"client-side": func(g git, text string) { g.in(text, "apply") },
	"server-side": func(g git, text string) { g.force(text, "argocd-controller") },
	"Flux":        asFlux,
}

// asFlux takes over what kubectl wrote, as kustomize-controller does to undo it: fields
// of managers whose names begin with kubectl become its own, and go with the next apply.
func asFlux(g git, text string) {
	const manager = "kustomize-controller"
	ro := g.stage.get()
	for i := range ro.ManagedFields {
		if entry := &ro.ManagedFields[i]; strings.HasPrefix(entry.Manager, "kubectl") && entry.Operation == metav1.ManagedFieldsOperationUpdate && entry.Subresource == "" {
			entry.Manager, entry.Operation = manager, metav1.ManagedFieldsOperationApply
		}
	}
	patch, err := json.Marshal([]map[string]any{{"op": "replace", "path": "/metadata/managedFields", "value": ro.ManagedFields}})
	if err != nil {
		g.t.Fatal(err)
	}
	if err := g.stage.client.Patch(g.t.Context(), ro, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(manager)); err != nil {
		g.t.Fatal(err)
	}
	g.force(text, manager)
}

// force applies a manifest as kubectl apply --server-side --force-conflicts does.
func (g git) force(text, manager string) {
	g.t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		g.t.Fatal(err)
	}
	object.SetNamespace(g.namespace)
	err := g.stage.client.Apply(g.t.Context(), client.ApplyConfigurationFromUnstructured(object), client.ForceOwnership, client.FieldOwner(manager))
	if err != nil {
		g.t.Fatal(err)
	}
}

// in gives a manifest to kubectl.
func (g git) in(text string, args ...string) {
	g.t.Helper()
	if output, code := g.try(text, append(args, "--filename=-")...); code != 0 {
		g.t.Fatalf("kubectl %s: exit %d\n%s", args[0], code, output)
	}
}

// apply makes the object what is in Git.
func (g git) apply(text string) {
	g.t.Helper()
	g.way(g, text)
}

// fromGit is a stage whose object was applied from Git, and whose candidate bakes.
func fromGit(t *testing.T, way func(git, string)) (*stage, git) {
	t.Helper()
	s := newStage(t, scenario, inGit)
	g := git{newKubectl(t, s.key.Namespace), s, way}
	g.apply(inGit)
	s.pass()
	s.deploy("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseBaking)
	return s, g
}

// plead asks for a verb with kubectl sluice, before anybody hears it.
func (s *stage) plead(verb string, args ...string) {
	s.t.Helper()
	kubeconfig := filepath.Join(s.t.TempDir(), "kubeconfig")
	if err := plane.WriteKubeconfig(kubeconfig); err != nil {
		s.t.Fatal(err)
	}
	var said bytes.Buffer
	env := cli.Env{In: strings.NewReader(""), Out: &said, Err: &said, Clock: clock.RealClock{}, Version: "test"}
	args = append([]string{verb, s.key.Name, "-n", s.key.Namespace, "--kubeconfig", kubeconfig, "--reason", "a test", "--no-wait"}, args...)
	if code := cli.Run(s.t.Context(), cli.Command(env), args); code != cli.ExitDone {
		s.t.Fatalf("%s ends with %d: %s", verb, code, said.String())
	}
}

// unwritten is what of an object Git does not write: what was asked, what Sluice wrote,
// and the generation, which any change of the spec raises.
func unwritten(ro *v1alpha1.CloudRunRollout) any {
	annotations := maps.Clone(ro.Annotations)
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	return []any{annotations, ro.Finalizers, ro.Generation, ro.Status}
}

// TestSelfHealLeavesWhatAPersonAskedFor: a tool that finds the object to differ from
// Git applies it again, before the manager has heard the request, and afterwards.
func TestSelfHealLeavesWhatAPersonAskedFor(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		for verb, c := range map[string]struct {
			args  []string
			leads v1alpha1.Phase
		}{
			v1alpha1.VerbPause:   {nil, v1alpha1.PhasePaused},
			v1alpha1.VerbPromote: {[]string{"--full"}, v1alpha1.PhaseCompleted},
			v1alpha1.VerbAbort:   {nil, v1alpha1.PhaseRolledBack},
		} {
			t.Run(verb+" and "+name, func(t *testing.T) {
				t.Parallel()
				s, g := fromGit(t, way)
				s.plead(verb, c.args...)
				for range 2 { // unheard, and when it has led somewhere
					before := unwritten(s.get())
					g.apply(inGit)
					if diff := cmp.Diff(before, unwritten(s.get())); diff != "" {
						t.Errorf("self-heal changes what is not in Git (-before +after):\n%s", diff)
					}
					s.until(c.leads)
				}
				// Somebody commits something else.
				g.apply(strings.Replace(inGit, "strategy: {", "strategy: {stepDeadline: 2h, ", 1))
				var ro *v1alpha1.CloudRunRollout
				for range 10 {
					ro = s.pass()
				}
				if ro.Status.Phase != c.leads || ro.Status.ObservedGeneration != 2 {
					t.Errorf("after a commit it is %s, at generation %d", ro.Status.Phase, ro.Status.ObservedGeneration)
				}
				if last := ro.Status.LastRequest; last == nil || last.Verb != verb || last.Result != v1alpha1.RequestAccepted {
					t.Errorf("the request was answered with %+v", last)
				}
			})
		}
	}
}

// TestReplacingTakesAwayWhatNobodyHasHeard, and nothing else for long: it writes the
// object without the annotations and finalizers that are not in Git, and leaves the
// status.
func TestReplacingTakesAwayWhatNobodyHasHeard(t *testing.T) {
	t.Parallel()
	s, g := fromGit(t, func(g git, text string) { g.in(text, "replace") })
	s.plead(v1alpha1.VerbPause)
	g.apply(inGit)
	for range 3 {
		if ro := s.pass(); ro.Status.Phase == v1alpha1.PhasePaused || len(ro.Annotations) > 0 {
			t.Fatalf("it is %s, with %v", ro.Status.Phase, ro.Annotations)
		}
	}
	s.plead(v1alpha1.VerbPause)
	s.until(v1alpha1.PhasePaused)
	g.apply(inGit)
	for range 10 {
		s.pass()
	}
	if ro := s.get(); ro.Status.Phase != v1alpha1.PhasePaused || len(ro.Finalizers) != 1 {
		t.Errorf("it is %s, with the finalizers %v", ro.Status.Phase, ro.Finalizers)
	}
}

// TestGitDecidesOnPausedWhereItWritesIt: a person's spec.paused is undone by a manifest
// that says paused: false, and is nobody's business in one that does not. Flux undoes
// whatever kubectl wrote.
func TestGitDecidesOnPausedWhereItWritesIt(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, g := fromGit(t, way)
			byHand := func() {
				g.do("patch", "crr", "web", "--type=merge", `--patch={"spec":{"paused":true}}`)
			}
			byHand()
			g.apply(inGit)
			if stays := name != "Flux"; s.get().Spec.Paused != stays {
				t.Errorf("after a manifest without paused it is %t", s.get().Spec.Paused)
			}
			saysSo := strings.Replace(inGit, "spec:\n", "spec:\n  paused: false\n", 1)
			g.apply(saysSo)
			byHand()
			g.apply(saysSo)
			if s.get().Spec.Paused {
				t.Error("a manifest with paused: false leaves a person's")
			}
		})
	}
}

// TestSelfHealDeploysATemplateOnce: a tool applies the object again before each look, until
// what its template made bakes.
func TestSelfHealDeploysATemplateOnce(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, scenario, inGit)
			g := git{newKubectl(t, s.key.Namespace), s, way}
			g.apply(inGit)
			s.pass()
			text := strings.Replace(inGit, "strategy: {", "template: "+strings.Replace(asWritten, "IMAGE", "2", 1)+"\n  strategy: {", 1)
			g.apply(text)
			ro := s.repeat(func() *v1alpha1.CloudRunRollout {
				before := unwritten(s.get())
				g.apply(text)
				if diff := cmp.Diff(before, unwritten(s.get())); diff != "" {
					t.Fatalf("self-heal changes what is not in Git (-before +after):\n%s", diff)
				}
				return s.pass()
			}, v1alpha1.PhaseBaking)
			if made := s.made(); len(made) != 1 || ro.Status.Attempt.DeployedTemplate != made[0] {
				t.Errorf("the templates %q were deployed, and the status remembers %q", made, ro.Status.Attempt.DeployedTemplate)
			}
		})
	}
}
