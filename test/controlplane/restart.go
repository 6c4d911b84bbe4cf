package controlplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Halt stops kube-apiserver and etcd and keeps their data. Only a control plane
// with Options.Data can be halted.
func (c *ControlPlane) Halt() error {
	if c.data == "" {
		return errors.New("halting a control plane whose data nobody keeps")
	}
	plane := &c.env.ControlPlane
	if err := errors.Join(plane.APIServer.Stop(), plane.Etcd.Stop()); err != nil {
		return fmt.Errorf("halting kube-apiserver and etcd: %w", err)
	}
	return nil
}

// Continue starts a halted control plane again, at the same address and for the
// same users.
func (c *ControlPlane) Continue() error {
	plane := &c.env.ControlPlane
	if err := plane.Etcd.Start(); err != nil {
		return fmt.Errorf("starting etcd again: %w", err)
	}
	if err := plane.APIServer.Start(); err != nil {
		return fmt.Errorf("starting kube-apiserver again: %w", err)
	}
	return nil
}

// Snapshot copies what etcd holds to a directory that does not exist yet. The
// control plane must be halted.
func (c *ControlPlane) Snapshot(dir string) error {
	if err := os.CopyFS(dir, os.DirFS(c.etcd())); err != nil {
		return fmt.Errorf("copying the data of etcd: %w", err)
	}
	return nil
}

// Restore puts a snapshot back. The control plane must be halted.
func (c *ControlPlane) Restore(dir string) error {
	if err := os.RemoveAll(c.etcd()); err != nil {
		return fmt.Errorf("removing the data of etcd: %w", err)
	}
	if err := os.CopyFS(c.etcd(), os.DirFS(dir)); err != nil {
		return fmt.Errorf("putting the data of etcd back: %w", err)
	}
	// etcd refuses a directory that others can read.
	if err := os.Chmod(c.etcd(), 0o700); err != nil {
		return fmt.Errorf("putting the data of etcd back: %w", err)
	}
	return nil
}

func (c *ControlPlane) etcd() string { return filepath.Join(c.data, "etcd") }
