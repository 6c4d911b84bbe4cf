package cli_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/controlplane"
)

// TestScripts plays the scripts in testdata/script, each in a namespace of its own,
// all at once. Beside kubectl-sluice they have:
//
//	put FILE...              create objects of the demo's world, with status
//	say NAME FILE            put the status of another object on one
//	answer NAME VERB RESULT MESSAGE [FILE]
//	                         wait for a request and answer it; then say FILE
//	request NAME FILE        write the annotations of the newest request, without id
func TestScripts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	tools := kubectl(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			w, err := newWorld(ctx, strings.TrimPrefix(filepath.Base(e.WorkDir), "script-"))
			if err != nil {
				return err
			}
			e.Values["world"] = w
			kubeconfig := filepath.Join(e.WorkDir, "kubeconfig")
			e.Setenv("KUBECONFIG", kubeconfig)
			e.Setenv("NAMESPACE", w.namespace)
			e.Setenv("PATH", e.Getenv("PATH")+tools)
			return plane.WriteKubeconfig(kubeconfig)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"put": doing(ctx, func(ts *testscript.TestScript, w *world, args []string) {
				for _, file := range args {
					ts.Check(w.put(ctx, file))
				}
			}),
			"say": doing(ctx, func(ts *testscript.TestScript, w *world, args []string) {
				ts.Check(w.say(ctx, args[0], args[1], nil))
			}),
			"answer":  doing(ctx, answer(ctx)),
			"request": doing(ctx, request(ctx)),
		},
	})
}

// kubectl is what comes behind PATH: kubectl, and what completes the plugin for it.
func kubectl(t *testing.T) string {
	t.Helper()
	program, err := controlplane.Kubectl(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := filepath.Abs(filepath.Join("..", "..", "cmd", "kubectl-sluice"))
	if err != nil {
		t.Fatal(err)
	}
	between := string(os.PathListSeparator)
	return between + filepath.Dir(program) + between + plugin
}

// doing hands a script's world to what a command does.
func doing(_ context.Context, do func(*testscript.TestScript, *world, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("it cannot be expected to fail")
		}
		w, _ := ts.Value("world").(*world)
		do(ts, w, args)
	}
}

func answer(ctx context.Context) func(*testscript.TestScript, *world, []string) {
	return func(ts *testscript.TestScript, w *world, args []string) {
		name, verb, result, message := args[0], args[1], v1alpha1.RequestResult(args[2]), args[3]
		request, err := w.asked(ctx, name, verb)
		ts.Check(err)
		ts.Check(w.answer(ctx, name, request[v1alpha1.RequestID], result, message))
		for _, file := range args[4:] {
			last := &v1alpha1.CloudRunRollout{}
			ts.Check(w.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, last))
			ts.Check(w.say(ctx, name, file, last.Status.LastRequest))
		}
	}
}

func request(ctx context.Context) func(*testscript.TestScript, *world, []string) {
	return func(ts *testscript.TestScript, w *world, args []string) {
		ro := &v1alpha1.CloudRunRollout{}
		ts.Check(w.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: args[0]}, ro))
		for _, key := range slices.Sorted(maps.Keys(ro.Annotations)) {
			if key != v1alpha1.RequestID {
				_, err := ts.Stdout().Write([]byte(key + "=" + ro.Annotations[key] + "\n"))
				ts.Check(err)
			}
		}
	}
}
