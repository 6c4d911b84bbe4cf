package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"github.com/sluice-rollouts/sluice/internal/cli/forward"
)

// pagePort is the port of this machine unless another one is asked for: the one at
// which a manager serves the page on its own machine.
const pagePort = 8082

// page is how to reach a manager's page.
type page struct {
	address, namespace   string
	port                 int
	tokenFile, authority string
}

// dashboard leads to the page of a manager.
func (a *app) dashboard() *cobra.Command {
	var p page
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "Lead a port of this machine to the manager's page of all rollouts",
		Long: `Lead a port of this machine to the manager's page of all rollouts, until it is
interrupted. That takes the right to forward to the manager's pod (list pods,
create pods/portforward). How the manager serves the page is read in its pod.

A page that it serves for its own machine only, as config/default has it, shows
all rollouts to whoever may forward to the pod.

A page in the cluster, as config/dashboard has it, shows each the rollouts that
they may list. It is brought your own bearer token, from the kubeconfig or its
plugin, or in its place that of --token-file, such as one that was made with
kubectl create token; the manager has the API server look at it. Whoever else can
connect to the port of this machine sees what you see, so stop it when you have
seen enough. Its certificate is checked with --page-ca; without, it must only stay
the same, and the API server answers for who is asked.

With --address no port is forwarded: it is for a manager on this machine.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.address != "" {
				if p.tokenFile != "" || p.authority != "" {
					return usagef("--token-file and --page-ca are for a page in the cluster: leave out --address, or them")
				}
				return a.pageAt(cmd.Context(), p)
			}
			return a.pageThrough(cmd.Context(), p)
		},
	}
	cmd.Flags().StringVar(&p.address, "address", "", "address of a page on this machine, such as http://127.0.0.1:8082")
	cmd.Flags().StringVar(&p.namespace, "manager-namespace", "sluice-system", "namespace of the manager")
	cmd.Flags().IntVar(&p.port, "port", pagePort, "port of this machine; 0 for any that is free")
	cmd.Flags().StringVar(&p.tokenFile, "token-file", "", "file with the bearer token for a page in the cluster, read again each minute; empty is the kubeconfig's")
	cmd.Flags().StringVar(&p.authority, "page-ca", "", "file with the certificates (PEM) of who signs that of a page in the cluster, which must be for sluice-dashboard.NAMESPACE.svc")
	return cmd
}

// pageThrough leads to the page of a manager until somebody has seen enough.
func (a *app) pageThrough(ctx context.Context, p page) error {
	config, err := a.flags.ToRESTConfig()
	if err != nil {
		return err
	}
	manager, err := forward.Find(ctx, config, p.namespace)
	if err != nil {
		return err
	}
	if manager.TLS {
		return a.pageSecured(ctx, config, manager, p)
	}
	if p.tokenFile != "" || p.authority != "" {
		return usagef("--token-file and --page-ca are for a page with TLS: the manager %s/%s serves it for its own machine, in the open", manager.Namespace, manager.Pod)
	}
	return forward.Run(ctx, config, manager, p.port, func(port int) error {
		here := local(port)
		if err := findPage(ctx, http.DefaultClient, here); err != nil {
			return fmt.Errorf("port %d of %s/%s: %w", manager.Port, manager.Namespace, manager.Pod, err)
		}
		return a.print(fmt.Sprintf("The page of %s/%s is at %s until you press Ctrl-C.\n", manager.Namespace, manager.Pod, here))
	})
}

// pageSecured leads to a page with TLS, to which a proxy on this machine brings the
// caller's token.
func (a *app) pageSecured(ctx context.Context, config *rest.Config, manager forward.Manager, p page) error {
	through, err := forward.Pass{
		Config: config, TokenFile: p.tokenFile, Authority: p.authority, Name: "sluice-dashboard." + manager.Namespace + ".svc",
	}.Transport()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)))
	if err != nil {
		return fmt.Errorf("%w; --port 0 takes any port that is free", err)
	}
	defer func() { _ = listener.Close() }()
	return forward.Run(ctx, config, manager, 0, func(port int) error {
		there := &url.URL{Scheme: "https", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/"}
		if err := findPage(ctx, &http.Client{Transport: through, CheckRedirect: stay}, there.String()); err != nil {
			return fmt.Errorf("port %d of %s/%s: %w", manager.Port, manager.Namespace, manager.Pod, err)
		}
		proxy := &http.Server{Handler: forward.Proxy(there, through), ReadHeaderTimeout: answerWithin}
		go func() { _ = proxy.Serve(listener) }()
		context.AfterFunc(ctx, func() { _ = proxy.Close() })
		here := local(listener.Addr().(*net.TCPAddr).Port)
		return a.print(fmt.Sprintf("The page of %s/%s is at %s until you press Ctrl-C, with the rollouts that your token may list.\n",
			manager.Namespace, manager.Pod, here))
	})
}

// stay follows nobody elsewhere, where the token would be brought too.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// local is the address of a port of this machine.
func local(port int) string { return fmt.Sprintf("http://127.0.0.1:%d/", port) }

// answerWithin is how long a page on this machine may take.
const answerWithin = 5 * time.Second

// pageAt looks whether a page is where it is said to be.
func (a *app) pageAt(ctx context.Context, p page) error {
	at := strings.TrimSuffix(p.address, "/") + "/"
	if err := findPage(ctx, http.DefaultClient, at); err != nil {
		return fmt.Errorf("%s: %w; does a manager run there, with --dashboard-bind-address?", at, err)
	}
	return a.print("The page is at " + at + "\n")
}

// findPage asks for the page at an address.
func findPage(ctx context.Context, client *http.Client, at string) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return usagef("the address of the page: %v", err)
	}
	answer, err := client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return fmt.Errorf("asking for the page: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusUnauthorized {
		return errUnknown
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), "· Sluice</title>") {
		return fmt.Errorf("what answers is not the page of a manager: %s", answer.Status)
	}
	return nil
}

// errUnknown is given where a page does not know who asks.
var errUnknown = errors.New("the page does not know whose the bearer token is: it has ended, or it is one for a proxy before the API server; " +
	"name one with --token-file that the API server itself knows, such as kubectl create token makes")
