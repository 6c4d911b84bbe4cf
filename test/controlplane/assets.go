package controlplane

import (
	"context"
	"io"

	"github.com/sluice-rollouts/sluice/test/controlplane/assets"
)

// Assets returns a directory which holds kube-apiserver and etcd, and gets or
// builds them if there is none yet. What takes time is told to progress.
func Assets(ctx context.Context, progress io.Writer) (dir string, err error) {
	return assets.Dir(ctx, progress)
}

// Kubectl returns the path of a kubectl: the one on PATH, else one got or built.
func Kubectl(ctx context.Context, progress io.Writer) (path string, err error) {
	return assets.Kubectl(ctx, progress)
}
