package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
)

// reads lets a command read from a file that somebody saved.
func (a *app) reads(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVarP(&a.file, "filename", "f", "",
		"read what kubectl get crr -o yaml (-A, -w) has written, instead of a cluster; - for standard input")
	return cmd
}

// atMostOne wants a name or none.
func atMostOne(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("one NAME is enough, not %d", len(args))
	}
	return nil
}

// none wants no arguments.
func none(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, not %q", cmd.Name(), args[0])
	}
	return nil
}

// open opens the file or connects to the cluster, and says in which namespace to
// look; "" is any.
func (a *app) open() (source.Source, string, error) {
	namespace := ""
	if a.flags.Namespace != nil {
		namespace = *a.flags.Namespace
	}
	if a.file == "" {
		namespace, err := a.namespace()
		if err != nil {
			return nil, "", err
		}
		cluster, err := a.cluster()
		return cluster, namespace, err
	}
	text, err := a.text(a.file)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = text.Close() }()
	objects, err := source.ReadFile(text)
	return objects, namespace, err
}

// named finds the rollout that is meant: the one that is named, or the only one
// there is.
func (a *app) named(ctx context.Context, args []string) (source.Source, source.Name, error) {
	src, namespace, err := a.open()
	if err != nil {
		return nil, source.Name{}, err
	}
	name := source.Name{Namespace: namespace}
	if len(args) > 0 {
		if name, err = source.ParseName(args[0], namespace); err != nil {
			return nil, source.Name{}, exit{ExitUsage, err}
		}
		if name.Namespace != "" {
			return src, name, nil
		}
	}
	name, err = only(ctx, src, name)
	return src, name, err
}

// only finds the one rollout that an incomplete name can mean.
func only(ctx context.Context, src source.Source, name source.Name) (source.Name, error) {
	all, err := src.List(ctx, name.Namespace)
	if err != nil {
		return source.Name{}, err
	}
	var meant []v1alpha1.CloudRunRollout
	for _, ro := range all {
		if name.Name == "" || ro.Name == name.Name {
			meant = append(meant, ro)
		}
	}
	switch {
	case len(meant) == 1:
		return source.Name{Namespace: meant[0].Namespace, Name: meant[0].Name}, nil
	case len(meant) > 1:
		return source.Name{}, usagef("%d CloudRunRollouts can be meant: name one, such as %s/%s", len(meant), meant[0].Namespace, meant[0].Name)
	}
	return source.Name{}, fmt.Errorf("CloudRunRollout %s: %w", name.Name, source.ErrNotFound)
}

// one reads the rollout that is meant.
func (a *app) one(ctx context.Context, args []string) (*v1alpha1.CloudRunRollout, error) {
	src, name, err := a.named(ctx, args)
	if err != nil {
		return nil, err
	}
	return src.Get(ctx, name)
}
