// Command chart writes the Helm chart from what kustomize renders of
// config/default, and of the folders beside it that a value turns on, so that there is
// one source: each object is a template in which a few values and the namespace are
// Helm's. The namespace object itself is left out, because helm makes or finds it before
// it installs anything.
//
// With -package it packs the chart for a release, with its version and image.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", "../..", "root of the repository")
	pack := flag.String("package", "", "directory to write the packed chart to, in place of writing its templates")
	version := flag.String("version", "", "version of the packed chart, without a v")
	image := flag.String("image", "", "image of the manager in the packed chart's values")
	flag.Parse()
	dir := filepath.Join(*root, "charts", "sluice")
	err := error(nil)
	if *pack != "" {
		err = packed(dir, *pack, *version, *image)
	} else {
		err = written(filepath.Join(*root, "config"), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

// written makes the templates and the values of a chart anew.
func written(config, dir string) error {
	c, err := read(config)
	if err != nil {
		return err
	}
	templates := filepath.Join(dir, "templates")
	if err := os.RemoveAll(templates); err != nil {
		return err
	}
	if err := os.MkdirAll(templates, 0o755); err != nil {
		return err
	}
	for _, o := range c.objects {
		text, err := c.template(o)
		if err != nil {
			return fmt.Errorf("%s %s: %w", o.kind, o.name, err)
		}
		if err := put(templates, o, base, text); err != nil {
			return err
		}
	}
	for _, p := range c.parts {
		for _, o := range p.objects {
			text, err := c.template(o)
			if err != nil {
				return fmt.Errorf("%s %s: %w", o.kind, o.name, err)
			}
			if err := put(templates, o, p.dir, p.when(text)); err != nil {
				return err
			}
		}
	}
	text, err := values(c.manager)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "values.yaml"), []byte(text), 0o644)
}

// put writes a template, with where it is from.
func put(templates string, o object, from, text string) error {
	text = fmt.Sprintf("# Written by make manifests, from config/%s.\n%s", from, text)
	return os.WriteFile(filepath.Join(templates, o.file()), []byte(text), 0o644)
}
