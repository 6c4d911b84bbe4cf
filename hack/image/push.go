package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// reference is the file with the published image's name and digest.
const reference = "image-reference"

// push publishes an image under a name, and leaves it with the digest in a directory.
func push(ctx context.Context, index v1.ImageIndex, to, out string) error {
	ref, err := name.NewTag(to, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("-push: %w", err)
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	err = remote.WriteIndex(ref, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return fmt.Errorf("publishing %s: %w", ref, err)
	}
	published := ref.Context().Digest(digest.String()).String()
	fmt.Printf("%s\tpublished\n", published)
	return os.WriteFile(filepath.Join(out, reference), []byte(published+"\n"), 0o644)
}
