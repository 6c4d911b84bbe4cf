package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	location = "asia-northeast1"
	caller   = "sluice@acme.iam.gserviceaccount.com"

	// The others have so few requests that no step of theirs ever ends: each stays
	// under way, and asks for its metrics every minute.
	fewPerSecond  = 1
	manyPerSecond = 20
)

// site is one service, and the name of its rollout.
type site struct {
	project, name string
	bad           bool
}

func (s site) fullName() string {
	return fmt.Sprintf("projects/%s/locations/%s/services/%s", s.project, location, s.name)
}

func (s site) stable() string    { return s.name + "-1" }
func (s site) candidate() string { return s.name + "-2" }

// sites are all services: the bad ones first, spread over the projects like all.
func (p play) sites() []site {
	sites := make([]site, 0, p.bad+p.others)
	for i := range p.bad + p.others {
		name := fmt.Sprintf("good-%04d", i)
		if i < p.bad {
			name = fmt.Sprintf("bad-%04d", i)
		}
		sites = append(sites, site{fmt.Sprintf("acme-%02d", i%p.projects), name, i < p.bad})
	}
	return sites
}

// projectsOf are the projects of services, once each.
func projectsOf(sites []site) []string {
	var projects []string
	for _, s := range sites {
		if !slices.Contains(projects, s.project) {
			projects = append(projects, s.project)
		}
	}
	return projects
}

// town is the world they are in.
func town(sites []site) (*simulator.World, error) {
	services := make([]map[string]any, 0, len(sites))
	for _, s := range sites {
		rate := fewPerSecond
		if s.bad {
			rate = manyPerSecond
		}
		services = append(services, map[string]any{
			"project": s.project, "location": location, "name": s.name,
			"users":     map[string]any{"requestsPerSecond": rate},
			"revisions": []any{map[string]any{"image": "web:1", "revision": s.stable()}},
			"traffic": []any{map[string]any{
				"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": s.stable(), "percent": 100,
			}},
			"images": map[string]any{"web:bad": map[string]any{"errors": []any{map[string]any{"percent": 10}}}},
		})
	}
	text, err := json.Marshal(map[string]any{"caller": caller, "services": services})
	if err != nil {
		return nil, err
	}
	scenario, err := simulator.ParseScenario(text)
	if err != nil {
		return nil, err
	}
	return simulator.New(scenario)
}

// rollout is the object that a site has: all defaults.
func (s site) rollout(namespace string) *v1alpha1.CloudRunRollout {
	ro := &v1alpha1.CloudRunRollout{}
	ro.Namespace, ro.Name = namespace, s.project+"-"+s.name
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: s.project, Location: location, Name: s.name}
	return ro
}
