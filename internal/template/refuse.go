package template

import (
	"maps"
	"slices"
	"strings"
)

// reserved are the namespaces that the API refuses in annotations and labels (run v2
// discovery, RevisionTemplate.annotations).
var reserved = []string{"run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev"}

// ours is the namespace of what Sluice writes itself.
const ours = "rollouts.sluice.dev"

// refuse notes what has the right form and cannot be deployed.
func refuse(p *problems, tree map[string]any) {
	if _, ok := tree["revision"]; ok {
		p.add(manifestPath+".revision", "remove it: Cloud Run names revisions, and under a fixed name a second template is refused (Revision named ... with different configuration already exists)")
	}
	for _, field := range []string{"annotations", "labels"} {
		keys, _ := tree[field].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			refuseKey(p, member(manifestPath+"."+field, key), key)
		}
	}
	containers, isList := tree["containers"].([]any)
	if _, there := tree["containers"]; !there || isList && len(containers) == 0 {
		p.add(manifestPath+".containers", "write at least one container with an image")
	}
	for i, value := range containers {
		if container, ok := value.(map[string]any); ok {
			refuseContainer(p, item(manifestPath+".containers", i), container)
		}
	}
}

func refuseKey(p *problems, path, key string) {
	prefix, _, qualified := strings.Cut(key, "/")
	if !qualified {
		return
	}
	if within(prefix, ours) {
		p.add(path, "remove it: Sluice writes what is in %s itself", ours)
	}
	for _, namespace := range reserved {
		if within(prefix, namespace) {
			p.add(path, "remove it: Cloud Run's v2 API refuses keys of %s and has a field of the template for each", namespace)
		}
	}
}

// within tells whether a prefix of a key is a namespace or in one.
func within(prefix, namespace string) bool {
	return prefix == namespace || strings.HasSuffix(prefix, "."+namespace)
}

func refuseContainer(p *problems, path string, container map[string]any) {
	image, there := container["image"]
	if text, isText := image.(string); !there || isText && strings.TrimSpace(text) == "" {
		p.add(path+".image", "write the image to run")
	}
	if _, there := container["buildInfo"]; there {
		p.add(path+".buildInfo", "remove it: Cloud Run writes it")
	}
}
