// Command chart writes the Helm chart from what kustomize renders of
// config/default, so that there is one source: each object is a template in which
// a few values and the namespace are Helm's. The namespace object itself is left
// out, because helm makes or finds it before it installs anything.
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
		err = written(filepath.Join(*root, "config", "default"), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

// written makes the templates and the values of a chart anew.
func written(source, dir string) error {
	objects, err := render(source)
	if err != nil {
		return fmt.Errorf("rendering %s: %w", source, err)
	}
	templates := filepath.Join(dir, "templates")
	if err := os.RemoveAll(templates); err != nil {
		return err
	}
	if err := os.MkdirAll(templates, 0o755); err != nil {
		return err
	}
	for _, o := range objects {
		if o.kind == "Namespace" {
			continue
		}
		text, err := template(o)
		if err != nil {
			return fmt.Errorf("%s %s: %w", o.kind, o.name, err)
		}
		if err := os.WriteFile(filepath.Join(templates, o.file()), []byte(text), 0o644); err != nil {
			return err
		}
	}
	text, err := values(objects)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "values.yaml"), []byte(text), 0o644)
}
