package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-rollouts/sluice/internal/cli/forward"
)

// pagePort is where a manager serves the page unless it is told otherwise.
const pagePort = 8082

// page is how to reach a manager's page.
type page struct {
	address, namespace string
	local, remote      int
}

// dashboard leads to the page of a manager.
func (a *app) dashboard() *cobra.Command {
	var p page
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "Lead a port of this machine to the manager's page of all rollouts",
		Long: `Lead a port of this machine to the manager's page of all rollouts, until it is
interrupted. That takes the right to forward to the manager's pod (create
pods/portforward), and whoever has it sees all rollouts.

With --address no port is forwarded: it is for a manager on this machine.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.address != "" {
				return a.pageAt(cmd.Context(), p)
			}
			return a.pageThrough(cmd.Context(), p)
		},
	}
	cmd.Flags().StringVar(&p.address, "address", "", "address of a page on this machine, such as http://127.0.0.1:8082")
	cmd.Flags().StringVar(&p.namespace, "manager-namespace", "sluice-system", "namespace of the manager")
	cmd.Flags().IntVar(&p.local, "port", pagePort, "port of this machine; 0 for any that is free")
	cmd.Flags().IntVar(&p.remote, "manager-port", pagePort, "port of the page in the manager's pod")
	return cmd
}

// pageThrough forwards a port until somebody has seen enough.
func (a *app) pageThrough(ctx context.Context, p page) error {
	config, err := a.flags.ToRESTConfig()
	if err != nil {
		return err
	}
	pod, err := forward.Pod(ctx, config, p.namespace)
	if err != nil {
		return err
	}
	way := forward.Way{Namespace: p.namespace, Pod: pod, Local: p.local, Remote: p.remote}
	return forward.Run(ctx, config, way, func(port int) error {
		url := fmt.Sprintf("http://127.0.0.1:%d/", port)
		if err := findPage(ctx, url); err != nil {
			return fmt.Errorf("port %d of %s/%s: %w; a page with TLS, as config/dashboard installs it, is reached by its Service", p.remote, p.namespace, pod, err)
		}
		return a.print(fmt.Sprintf("The page of %s/%s is at %s until you press Ctrl-C.\n", p.namespace, pod, url))
	})
}

// answerWithin is how long a page on this machine may take.
const answerWithin = 5 * time.Second

// pageAt looks whether a page is where it is said to be.
func (a *app) pageAt(ctx context.Context, p page) error {
	url := strings.TrimSuffix(p.address, "/") + "/"
	if err := findPage(ctx, url); err != nil {
		return err
	}
	return a.print("The page is at " + url + "\n")
}

// findPage asks for the page at an address.
func findPage(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return usagef("the address of the page: %v", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking for the page: %w; does the manager run, with --dashboard-bind-address?", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), "· Sluice</title>") {
		return fmt.Errorf("what answers at %s is not the page of a manager: %s", url, answer.Status)
	}
	return nil
}
