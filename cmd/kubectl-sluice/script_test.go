package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/cli"
)

var update = flag.Bool("update", false, "write what the scripts' commands print into the scripts")

// now is when the scripts' reader looks: six minutes after the rollout of
// held.yaml was held.
const now = "2026-11-19T10:58:00Z"

// TestMain makes kubectl-sluice a command of the scripts: the ordinary program, but
// for its clock and for a terminal that a script can ask for by COLUMNS.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"kubectl-sluice": func() { os.Exit(cli.Run(context.Background(), cli.Command(testEnv()), os.Args[1:])) },
	})
}

func testEnv() cli.Env {
	e := env()
	at, err := time.Parse(time.RFC3339, os.Getenv("NOW"))
	if err != nil {
		panic(err)
	}
	e.Clock = clocktesting.NewFakeClock(at)
	e.Version = "v0.0.0-test"
	if width, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil {
		e = e.OnTerminal(width)
	}
	return e
}

// TestScripts plays the scripts in testdata/script. Each finds the objects of
// testdata/objects, which a real manager wrote in the demo's world, and all.yaml,
// which has them all.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NOW", now)
			e.Setenv("KUBECONFIG", filepath.Join(e.WorkDir, "none"))
			return copyObjects(e.WorkDir)
		},
	})
}

func copyObjects(dir string) error {
	files, err := filepath.Glob(filepath.Join("testdata", "objects", "*.yaml"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	var all [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		all = append(all, text)
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "all.yaml"), bytes.Join(all, []byte("---\n")), 0o600)
}
