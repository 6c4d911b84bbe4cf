package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sluice-rollouts/sluice/internal/loopback"
)

const (
	// managers selects the pods of config/manager, container is the manager's in them.
	managers  = "app.kubernetes.io/name=sluice,app.kubernetes.io/component=manager"
	container = "manager"
	// flagName is the manager's flag for where it serves the page, and unless is where it
	// does without.
	flagName = "dashboard-bind-address"
	unless   = "127.0.0.1:8082"
)

// ErrNoManager is given where no manager runs, ErrNoPage where one serves no page.
var (
	ErrNoManager = errors.New("no pod of a manager is ready")
	ErrNoPage    = errors.New("it serves no page")
)

// Manager is a pod of a manager that is ready, and how it serves the page.
type Manager struct {
	Namespace, Pod string
	// Port is the page's, in the pod.
	Port int
	// TLS tells whether the page is served with TLS and to those only who bring a bearer
	// token, as it is off the pod's own loopback address.
	TLS bool
}

// Find finds a manager to ask, and how it serves the page. Every one serves it, so any
// that is ready will do. How it serves is read in its pod's arguments, because whoever
// forwards to a pod may read it, and because they hold where the page has no Service.
func Find(ctx context.Context, config *rest.Config, namespace string) (Manager, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return Manager{}, err
	}
	pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: managers})
	if err != nil {
		return Manager{}, fmt.Errorf("looking for a manager in %s: %w", namespace, err)
	}
	for i := range pods.Items {
		if pod := &pods.Items[i]; ready(pod) {
			found := Manager{Namespace: namespace, Pod: pod.Name}
			if found.Port, found.TLS, err = serves(&pod.Spec); err != nil {
				return Manager{}, fmt.Errorf("the manager %s/%s: %w", namespace, pod.Name, err)
			}
			return found, nil
		}
	}
	return Manager{}, fmt.Errorf("%w in namespace %s (%s); --manager-namespace names another one", ErrNoManager, namespace, managers)
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

// serves reads how a pod's manager serves the page.
func serves(pod *corev1.PodSpec) (port int, secured bool, err error) {
	i := slices.IndexFunc(pod.Containers, func(c corev1.Container) bool { return c.Name == container })
	if i < 0 {
		return 0, false, fmt.Errorf("its pod has no container of the name %s", container)
	}
	c := pod.Containers[i]
	address := bound(slices.Concat(c.Command, c.Args))
	if address == "0" {
		return 0, false, fmt.Errorf("%w (--%s=0): start it with an address, or without that flag", ErrNoPage, flagName)
	}
	_, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 1 || port > 65535 {
		return 0, false, fmt.Errorf("--%s=%s of its pod does not say at which port the page is: write it there as HOST:PORT", flagName, address)
	}
	return port, !loopback.Address(address), nil
}

// bound is the address of the page in a command line, as package flag reads it: with one
// dash or two, after an equals sign or as the next word, the last one that is given.
func bound(args []string) string {
	address := unless
	for i, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			continue
		}
		name, value, with := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		switch {
		case name != flagName:
		case with:
			address = value
		case i+1 < len(args):
			address = args[i+1]
		}
	}
	return address
}
