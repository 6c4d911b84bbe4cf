package main

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

//go:embed scenarios/*.yaml
var files embed.FS

// scene is a scenario that is played in more than one way.
type scene struct {
	name     string
	sentence string // what it is about: the comment that the file begins with
	world    simulator.Scenario
	// length is how long it is watched from the release on, longest how long if a
	// rollout goes on.
	length, longest time.Duration
	// warmup is how long Sluice waits for the candidate's minimum of instances before its
	// first users come; 0 for not at all.
	warmup time.Duration
}

// scenes reads all scenario files, in the order of their names.
func scenes() ([]scene, error) {
	entries, err := files.ReadDir("scenarios")
	if err != nil {
		return nil, fmt.Errorf("reading scenarios: %w", err)
	}
	all := make([]scene, 0, len(entries))
	for _, e := range entries {
		s, err := readScene(strings.TrimSuffix(e.Name(), ".yaml"))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// readScene reads one scenario file by its name.
func readScene(name string) (scene, error) {
	text, err := files.ReadFile(path.Join("scenarios", name+".yaml"))
	if err != nil {
		return scene{}, fmt.Errorf("reading scenario: %w", err)
	}
	s := scene{name: name, sentence: sentence(string(text)), length: length, longest: longest}
	if s.world, err = simulator.ParseScenario(text); err != nil {
		return s, fmt.Errorf("scenario %s: %w", name, err)
	}
	if s.sentence == "" {
		return s, fmt.Errorf("scenario %s: begin it with a comment of one sentence that says what it is about", name)
	}
	if len(s.releases()) == 0 {
		return s, fmt.Errorf("scenario %s: nothing is deployed in its timeline", name)
	}
	return s, nil
}

// sentence is the comment that a text begins with, in one line.
func sentence(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		words = append(words, strings.Fields(comment)...)
	}
	return strings.Join(words, " ")
}

// releases lists the services that are deployed to, in the order in which they are.
func (s scene) releases() []rollout.ServiceRef {
	var refs []rollout.ServiceRef
	for _, m := range s.world.Timeline {
		if m.Deploy == nil {
			continue
		}
		for _, h := range s.world.Services {
			ref := rollout.ServiceRef{Project: h.Project, Location: h.Location, Name: h.Name}
			if (m.Service == h.Name || m.Service == "" && len(s.world.Services) == 1) && !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// released is when the first deployment is made.
func (s scene) released() (time.Time, error) {
	for _, m := range s.world.Timeline {
		if m.Deploy != nil {
			return s.world.Start.Add(time.Duration(m.At)), nil
		}
	}
	return time.Time{}, errors.New("nothing is deployed")
}
