package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestSimulatorMentions(t *testing.T) {
	far := strings.Repeat("\n", nearby+1)
	for _, test := range []struct {
		name, file, text string
		want             string // the place, "" for none
	}{
		{"controllers may not", "controllers/loop.go", "package controllers\n\n// Simulated.\n", "controllers/loop.go:3"},
		{"adapters may not", "internal/cloudrun/client.go", "// the simulator\n", "internal/cloudrun/client.go:1"},
		{"nor may what is beside Go", "internal/dashboard/page.html", "simulation", "internal/dashboard/page.html:1"},
		{"the simulator may", "internal/simulator/deep/world.go", "// a simulator\n", ""},
		{"tests of internal/kcc may", "internal/kcc/town_test.go", "// the simulator\n", ""},
		{"what they test may not", "internal/kcc/client.go", "// the simulator\n", `internal/kcc/client.go:1: says "simulat"`},
		{"tests beside it may not", "internal/cloudrun/client_test.go", "// the simulator\n", `internal/cloudrun/client_test.go:1: says "simulat"`},
		{"main may at its clock flag", "main.go", "// clock\nflag(\"simulated\")\n", ""},
		{"main may not elsewhere", "main.go", "// clock\n" + far + "flag(\"simulated\")\n", "main.go:9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, err := simulatorMentions(fstest.MapFS{test.file: {Data: []byte(test.text)}})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(found, "\n")
			if (got == "") != (test.want == "") || !strings.HasPrefix(got, test.want) {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}
