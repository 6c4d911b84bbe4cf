package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// base is the kustomization that the chart is, unless a value adds a part to it.
const base = "default"

// part is what a value of the chart turns on: what a kustomization has that base lacks,
// or a component adds to the folder that it is for.
type part struct {
	value, dir string
	on         string // the folder of a component; "" for a folder of its own
	secret     string // of a component, whose name the value gives
	objects    []object
	manager    manager // what the part alone gives it
}

// optional are all parts, in the order of the values.
var optional = []part{
	{value: "configConnector.enabled", dir: "config-connector"},
	{value: "dashboard.enabled", dir: "dashboard"},
	{value: "dashboard.certificateSecret", dir: "dashboard/certificate", on: "dashboard", secret: "sluice-dashboard"},
	{value: "networkPolicy.enabled", dir: "network-policy"},
	{value: "notifications.secret", dir: "notifications", on: base, secret: "sluice-notifications"},
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
	if p.on == "" {
		objects, err := render(filepath.Join(config, p.dir))
		if err != nil {
			return err
		}
		return p.keep(objects, c.objects)
	}
	below, err := render(filepath.Join(config, p.on))
	if err != nil {
		return err
	}
	objects, err := render(filepath.Join(config, p.on), filepath.Join(config, p.dir))
	if err != nil {
		return err
	}
	return p.keep(objects, below)
}

// keep keeps the objects that are not below, and what the manager has more than there.
func (p *part) keep(objects, below []object) error {
	for _, o := range objects {
		if !slices.ContainsFunc(below, o.same) {
			p.objects = append(p.objects, o)
		}
		if o.kind != "Deployment" {
			continue
		}
		m, err := managerOf(o.text)
		if err != nil {
			return err
		}
		before, err := managerAmong(below)
		if err != nil {
			return err
		}
		if len(m.args) < len(before.args) || len(m.ports) < len(before.ports) {
			return fmt.Errorf("%s takes flags or ports away", o.name)
		}
		p.manager = manager{
			args: m.args[len(before.args):], ports: m.ports[len(before.ports):],
			mounts: m.mounts[len(before.mounts):], volumes: m.volumes[len(before.volumes):],
		}
	}
	return nil
}

// when lets a text be there if the value of the part is set. Where that names a Secret,
// it takes the place of the component's.
func (p part) when(text string) string {
	if p.secret != "" {
		text = strings.Replace(text, "secretName: "+p.secret, "secretName: {{ .Values."+p.value+" | quote }}", 1)
	}
	return fmt.Sprintf("{{- if .Values.%s }}\n%s{{- end }}\n", p.value, text)
}
