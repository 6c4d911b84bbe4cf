package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/sluice-rollouts/sluice/test/controlplane/assets"
)

// patience is how long kube-apiserver and etcd may take to start or to stop.
// envtest's 20 s are too few on two cores that run a race build beside it.
const patience = 90 * time.Second

// Options say how to start a control plane. The zero value fits most tests.
type Options struct {
	// CRDs are directories or files of resource definitions to install. Nil
	// stands for the repository's config/crd/bases, an empty list for none.
	CRDs []string
	// Progress hears what takes time. Nil stands for nobody.
	Progress io.Writer
	// Output gets what kube-apiserver and etcd log. Nil stands for nobody.
	Output io.Writer
	// Data is an existing, empty directory that keeps data and certificates, so that
	// the control plane can be halted, put into its past, and started again. Empty
	// stands for a temporary one.
	Data string
	// APIServerFlags are set on kube-apiserver, by name without dashes.
	APIServerFlags map[string]string
}

// ControlPlane is a running kube-apiserver and etcd. Nothing else runs: no
// controller, no scheduler, no garbage collector.
type ControlPlane struct {
	// Config belongs to a member of system:masters.
	Config *rest.Config
	// Kubeconfig is the same in the form of a file.
	Kubeconfig []byte
	// Assets is the directory of the programs.
	Assets string

	env  *envtest.Environment
	data string
}

// Start gets the programs if needed and starts them. The caller stops what it
// started. A cancelled ctx ends the start, not what runs already.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	dir, err := assets.Dir(ctx, options.Progress)
	if err != nil {
		return nil, err
	}
	crds, err := definitions(options.CRDs)
	if err != nil {
		return nil, err
	}
	env, err := newEnvironment(dir, crds, options)
	if err != nil {
		return nil, err
	}
	config, err := env.Start()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		// A half-started control plane leaves processes behind otherwise.
		return nil, errors.Join(fmt.Errorf("starting kube-apiserver and etcd from %s: %w", dir, err), env.Stop())
	}
	return &ControlPlane{Config: config, Kubeconfig: env.KubeConfig, Assets: dir, env: env, data: options.Data}, nil
}

func newEnvironment(dir string, crds []string, options Options) (*envtest.Environment, error) {
	// Without this, a variable in somebody's shell turns the tests loose on the
	// cluster their kubeconfig points at.
	existing := false
	env := &envtest.Environment{
		UseExistingCluster:       &existing,
		BinaryAssetsDirectory:    dir,
		CRDDirectoryPaths:        crds,
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: patience,
		ControlPlaneStopTimeout:  patience,
	}
	server := env.ControlPlane.GetAPIServer()
	env.ControlPlane.Etcd = &envtest.Etcd{Out: options.Output, Err: options.Output}
	server.Out, server.Err = options.Output, options.Output
	for name, value := range options.APIServerFlags {
		server.Configure().Set(name, value)
	}
	if options.Data == "" {
		return env, nil
	}
	server.CertDir, env.ControlPlane.Etcd.DataDir = filepath.Join(options.Data, "certificates"), filepath.Join(options.Data, "etcd")
	for _, dir := range []string{server.CertDir, env.ControlPlane.Etcd.DataDir} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, fmt.Errorf("keeping the control plane's data: %w", err)
		}
	}
	return env, nil
}

func definitions(paths []string) ([]string, error) {
	if paths != nil {
		return paths, nil
	}
	root, err := assets.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "config", "crd", "bases")
	if files, err := filepath.Glob(filepath.Join(dir, "*.yaml")); err != nil || len(files) == 0 {
		return nil, errors.New("no resource definitions in config/crd/bases: run make manifests")
	}
	return []string{dir}, nil
}

// Stop ends kube-apiserver and etcd and removes their data.
func (c *ControlPlane) Stop() error {
	if err := c.env.Stop(); err != nil {
		return fmt.Errorf("stopping kube-apiserver and etcd: %w", err)
	}
	return nil
}

// WriteKubeconfig writes a kubeconfig for this control plane, readable to its
// owner alone.
func (c *ControlPlane) WriteKubeconfig(path string) error {
	if err := os.WriteFile(path, c.Kubeconfig, 0o600); err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	return nil
}

// User returns what a user of that name and those groups connects with, for
// tests of who may do what.
func (c *ControlPlane) User(name string, groups ...string) (*rest.Config, error) {
	user, err := c.env.AddUser(envtest.User{Name: name, Groups: groups}, c.Config)
	if err != nil {
		return nil, fmt.Errorf("adding user %s: %w", name, err)
	}
	return user.Config(), nil
}
