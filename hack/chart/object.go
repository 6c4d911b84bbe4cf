package main

import (
	"errors"
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

// render makes what kubectl apply -k sends.
func render(dir string) ([]object, error) {
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
		objects = append(objects, object{r.GetKind(), r.GetName(), string(text)})
	}
	return objects, nil
}

// manager is what the chart lets people change of the Deployment.
type manager struct {
	replicas  int
	image     string
	args      []string
	resources map[string]any
}

// managerOf reads the Deployment.
func managerOf(text string) (manager, error) {
	var deployment struct {
		Spec struct {
			Replicas int
			Template struct {
				Spec struct {
					Containers []struct {
						Image     string
						Args      []string
						Resources map[string]any
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &deployment); err != nil {
		return manager{}, err
	}
	containers := deployment.Spec.Template.Spec.Containers
	if len(containers) != 1 {
		return manager{}, errors.New("want one container")
	}
	c := containers[0]
	return manager{deployment.Spec.Replicas, c.Image, c.Args, c.Resources}, nil
}
