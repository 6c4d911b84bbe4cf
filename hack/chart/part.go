package main

import (
	"fmt"
	"path/filepath"
	"slices"
)

// base is the kustomization that the chart is, unless a value adds a part to it.
const base = "default"

// part is what a value of the chart turns on: what a kustomization has that base lacks.
type part struct {
	value, dir string
	objects    []object
	args       []string         // of the manager
	ports      []map[string]any // the same
}

// optional are all parts, in the order of the values.
var optional = []part{
	{value: "configConnector", dir: "config-connector"},
	{value: "dashboard", dir: "dashboard"},
	{value: "networkPolicy", dir: "network-policy"},
}

// chart is what the templates are written from.
type chart struct {
	objects []object
	manager manager
	parts   []part
}

// read renders base and all parts. The namespace is left out.
func read(config string) (chart, error) {
	var c chart
	var err error
	if c.objects, err = render(filepath.Join(config, base)); err != nil {
		return c, fmt.Errorf("rendering %s: %w", base, err)
	}
	if c.manager, err = managerAmong(c.objects); err != nil {
		return c, err
	}
	for _, p := range optional {
		if err := p.fill(config, c); err != nil {
			return c, fmt.Errorf("rendering %s: %w", p.dir, err)
		}
		c.parts = append(c.parts, p)
	}
	return c, nil
}

// fill renders a part, and keeps what is its own.
func (p *part) fill(config string, c chart) error {
	objects, err := render(filepath.Join(config, p.dir))
	if err != nil {
		return err
	}
	for _, o := range objects {
		if !slices.ContainsFunc(c.objects, o.same) {
			p.objects = append(p.objects, o)
		}
		if o.kind != "Deployment" {
			continue
		}
		m, err := managerOf(o.text)
		if err != nil {
			return err
		}
		if len(m.args) < len(c.manager.args) || len(m.ports) < len(c.manager.ports) {
			return fmt.Errorf("%s takes flags or ports away", o.name)
		}
		p.args, p.ports = m.args[len(c.manager.args):], m.ports[len(c.manager.ports):]
	}
	return nil
}

// when lets a text be there if the value of the part is set.
func (p part) when(text string) string {
	return fmt.Sprintf("{{- if .Values.%s.enabled }}\n%s{{- end }}\n", p.value, text)
}
