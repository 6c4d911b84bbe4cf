package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// object is one that kustomize rendered.
type object struct {
	kind, name string
	text       string // as YAML, its keys sorted
}

// file names its template.
func (o object) file() string {
	return strings.ToLower(o.kind) + "-" + strings.TrimPrefix(o.name, "sluice-") + ".yaml"
}

// same tells whether two are one object of the cluster.
func (o object) same(other object) bool { return o.kind == other.kind && o.name == other.name }

// render makes what kubectl apply -k sends, but for the namespace: of a folder, or of a
// kustomization that has components on top of one.
func render(dir string, components ...string) ([]object, error) {
	if len(components) > 0 {
		topped, err := on(dir, components)
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(topped) }()
		dir = topped
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified // as written in the kustomization
	result, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, err
	}
	var objects []object
	for _, r := range result.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		if r.GetKind() != "Namespace" {
			objects = append(objects, object{r.GetKind(), r.GetName(), string(text)})
		}
	}
	return objects, nil
}

// on writes a kustomization that has components on top of a folder, as people do in a
// folder of their own.
func on(dir string, components []string) (string, error) {
	made, err := os.MkdirTemp("", "sluice-chart-")
	if err != nil {
		return "", err
	}
	paths := slices.Concat([]string{dir}, components)
	for i, path := range paths {
		if path, err = filepath.Abs(path); err != nil {
			return "", err
		}
		if paths[i], err = filepath.Rel(made, path); err != nil { // kustomize takes no others
			return "", err
		}
	}
	written, err := yaml.Marshal(map[string]any{"resources": paths[:1], "components": paths[1:]})
	if err != nil {
		return "", err
	}
	return made, os.WriteFile(filepath.Join(made, "kustomization.yaml"), written, 0o600)
}

// manager is what the chart lets people change of the Deployment.
type manager struct {
	replicas  int
	image     string
	args      []string
	ports     []map[string]any
	resources map[string]any
	mounts    []map[string]any
	volumes   []map[string]any
}

// managerAmong reads the Deployment among objects.
func managerAmong(objects []object) (manager, error) {
	for _, o := range objects {
		if o.kind == "Deployment" {
			return managerOf(o.text)
		}
	}
	return manager{}, errors.New("no Deployment is rendered")
}

// managerOf reads the Deployment.
func managerOf(text string) (manager, error) {
	var deployment struct {
		Spec struct {
			Replicas int
			Template struct {
				Spec struct {
					Volumes    []map[string]any
					Containers []struct {
						Image        string
						Args         []string
						Ports        []map[string]any
						Resources    map[string]any
						VolumeMounts []map[string]any
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &deployment); err != nil {
		return manager{}, err
	}
	pod := deployment.Spec.Template.Spec
	containers := pod.Containers
	if len(containers) != 1 {
		return manager{}, errors.New("want one container")
	}
	c := containers[0]
	return manager{deployment.Spec.Replicas, c.Image, c.Args, c.Ports, c.Resources, c.VolumeMounts, pod.Volumes}, nil
}
