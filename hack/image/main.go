// Command image builds the manager's image without Docker and without a
// registry: an OCI layout and an archive that `docker load`, `kind load
// image-archive` and `ctr images import` read. The same sources give the same
// digest, wherever they lie.
//
// With -push it is published too, with the credentials of docker's configuration,
// and its name with the digest is left in image-reference.
//
// There is no base image: the manager is one static file, and beside it are
// only the certificates it trusts. Who wants an image over distroless can publish
// one with ko instead; .ko.yaml says how.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	source := flag.String("source", ".", "root of the repository")
	out := flag.String("out", "dist", "directory to write to")
	tag := flag.String("tag", "sluice:devel", "name of the image in the archives")
	arches := flag.String("arch", runtime.GOARCH, "architectures, such as amd64,arm64")
	to := flag.String("push", "", "publish it too, under a name such as REGISTRY/sluice:TAG")
	version := flag.String("version", "", "the release that it is of, such as v1.2.3")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	index, err := run(ctx, release{*source, *version}, *out, *tag, strings.Split(*arches, ","))
	if err == nil && *to != "" {
		err = push(ctx, index, *to, *out)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// release is what is built.
type release struct{ source, version string }

// run builds the image for each architecture, and leaves the binary, an archive and
// a layout of all in a directory.
func run(ctx context.Context, of release, out, tag string, arches []string) (v1.ImageIndex, error) {
	ref, err := name.NewTag(tag)
	if err != nil {
		return nil, fmt.Errorf("-tag: %w", err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	index := v1.ImageIndex(empty.Index)
	for _, arch := range arches {
		img, err := buildInto(ctx, of, out, arch)
		if err != nil {
			return nil, fmt.Errorf("building for %s: %w", arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
		archive := filepath.Join(out, "sluice-"+arch+".tar")
		if err := tarball.WriteToFile(archive, ref, img); err != nil {
			return nil, fmt.Errorf("writing %s: %w", archive, err)
		}
		digest, err := img.Digest()
		if err != nil {
			return nil, err
		}
		fmt.Printf("%s\t%s as %s\n", digest, archive, tag)
	}
	return index, writeLayout(filepath.Join(out, "image"), index)
}

// buildInto builds the image for an architecture, and leaves its binary in a
// directory: a bill of materials is made from that.
func buildInto(ctx context.Context, of release, out, arch string) (v1.Image, error) {
	binary, err := compile(ctx, of.source, arch, of.version)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(out, "sluice-"+arch), binary, 0o755); err != nil {
		return nil, err
	}
	return assemble(binary, arch)
}

// writeLayout replaces an OCI layout.
func writeLayout(dir string, index v1.ImageIndex) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if _, err := layout.Write(dir, index); err != nil {
		return fmt.Errorf("writing %s: %w", dir, err)
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	fmt.Printf("%s\t%s, an OCI layout\n", digest, dir)
	return nil
}

// nonroot is the user of distroless images that is not root.
const nonroot = "65532:65532"

// assemble wraps the manager.
func assemble(binary []byte, arch string) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, files := range [][]file{base(), {{"sluice", binary, 0o555}}} {
		layer, err := layerOf(files)
		if err != nil {
			return nil, err
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			return nil, err
		}
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config = v1.Config{
		Entrypoint: []string{"/sluice"}, User: nonroot, WorkingDir: "/",
		Env: []string{"SSL_CERT_FILE=/" + certificates},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "sluice",
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	return mutate.ConfigFile(img, config)
}
