package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
)

// packed writes a chart as an archive, of a version and with the image of that.
func packed(dir, into, version, image string) error {
	if version == "" || image == "" {
		return errors.New("-package wants -version and -image")
	}
	c, err := loader.Load(dir)
	if err != nil {
		return err
	}
	c.Metadata.Version, c.Metadata.AppVersion = version, version
	old, ok := c.Values["image"].(string)
	if !ok {
		return errors.New("values.yaml names no image")
	}
	for _, f := range c.Raw {
		if f.Name == chartutil.ValuesfileName {
			f.Data = []byte(strings.Replace(string(f.Data), "\nimage: "+old+"\n", "\nimage: "+image+"\n", 1))
		}
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	archive, err := chartutil.Save(c, into)
	if err != nil {
		return err
	}
	fmt.Println(archive)
	return nil
}
