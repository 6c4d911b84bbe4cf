package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/lint"
	"github.com/sluice-rollouts/sluice/internal/cli/plan"
	"github.com/sluice-rollouts/sluice/internal/cli/show"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// scenery is where a plan gets its forecast from.
type scenery struct {
	file        string
	fromCluster bool
	instances   int64
}

// plan tells how a rollout will go.
func (a *app) plan() *cobra.Command {
	var file string
	var from scenery
	cmd := &cobra.Command{
		Use:   "plan -f FILE",
		Short: "Tell how a rollout will go: steps, times, and what they ask of NAT gateways",
		Long: `Tell how a rollout will go: steps, times, and what they ask of NAT gateways.

The steps and times need no cluster. What is asked of NAT is forecast from a file,
or from what the status of the same rollout in the cluster knows of its gateways:

  instances: 8             # that the service's whole traffic keeps busy
  gateways:
  - name: nat-1
    ips: 1                 # number of addresses
    portsPerEndpoint: 1024 # minPortsPerVm
    endpoints: 34          # numVmEndpointsWithNatMappings of get-status

Also: minInstances and maxInstances of the new revision; of a gateway automatic,
dynamicPorts and allocatedPorts.

Where traffic rises in windows only, the plan is for a rollout that begins now, or when
the next window opens.`,
		Example: `  kubectl sluice plan -f rollout.yaml --gateway-file nat.yaml
  kubectl sluice plan -f rollout.yaml --from-cluster --instances 8`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case file == "":
				return usagef("plan needs -f FILE; - for standard input")
			case from.file != "" && from.fromCluster:
				return usagef("a forecast is made from --gateway-file or --from-cluster, not from both")
			case from.fromCluster && from.instances < 1:
				return usagef("--from-cluster needs --instances: how many the service's traffic keeps busy is not in a status")
			}
			return a.planFile(cmd.Context(), file, from)
		},
	}
	cmd.Flags().StringVarP(&file, "filename", "f", "", "a manifest; - for standard input")
	cmd.Flags().StringVar(&from.file, "gateway-file", "", "what is known of the NAT gateways and the service's instances, as YAML")
	cmd.Flags().BoolVar(&from.fromCluster, "from-cluster", false, "take what the rollout's status knows of its gateways")
	cmd.Flags().Int64Var(&from.instances, "instances", 0, "with --from-cluster: how many instances the whole traffic keeps busy")
	return cmd
}

// planFile plans each CloudRunRollout of a manifest. A plan of what the API server
// would not take is none.
func (a *app) planFile(ctx context.Context, file string, from scenery) error {
	findings, err := a.checked(ctx, file)
	if err != nil {
		return err
	}
	findings = slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Kind != lint.KindRollout })
	if len(findings) == 0 {
		return fmt.Errorf("%s: no %s in it", file, lint.KindRollout)
	}
	for _, f := range findings {
		if f.Wrong() {
			return exitAfter(a.print(report(file, findings)), ExitFailed)
		}
	}
	var text strings.Builder
	for _, f := range findings {
		scene, note, err := a.scene(ctx, &f.Rollout, from)
		if err != nil {
			return err
		}
		text.WriteString(show.Planned(&f.Rollout) + "\n" + plan.Of(&f.Rollout, scene, a.Clock.Now()).String())
		if note != "" {
			text.WriteString("\n" + note + ".\n")
		}
		text.WriteString(deploying(f))
	}
	return a.print(text.String())
}

// deploying is what comes before the first step where a manifest has a template.
func deploying(f lint.Finding) string {
	if f.Rollout.Spec.Template == nil {
		return ""
	}
	var text strings.Builder
	when := ""
	if len(f.Rollout.Spec.Strategy.Windows) > 0 {
		when = ", in a window too"
	}
	fmt.Fprintf(&text, "\nFirst the template is deployed%s, unless it was before. Its revision gets no traffic until the first step.\n", when)
	for _, warning := range f.Warnings {
		fmt.Fprintf(&text, "  warning: %s\n", warning)
	}
	return text.String()
}

// unforecast says why NAT is not in a plan.
const unforecast = "NAT is not forecast: "

// scene reads what is known for a forecast. A note says why there is none, or what it
// leaves out or takes for granted.
func (a *app) scene(ctx context.Context, ro *v1alpha1.CloudRunRollout, from scenery) (scene *plan.Scene, note string, err error) {
	switch {
	case ro.Spec.NAT.Discovery == v1alpha1.DiscoveryOff:
		return nil, unforecast + "spec.nat.discovery is Off", nil
	case from.file != "":
		return a.sceneFile(ro, from.file)
	case from.fromCluster:
		return a.sceneThere(ctx, ro, from.instances)
	}
	return nil, unforecast + "give --gateway-file, or --from-cluster", nil
}

// sceneFile reads a file, which has to be about the gateways that the manifest names.
func (a *app) sceneFile(ro *v1alpha1.CloudRunRollout, file string) (*plan.Scene, string, error) {
	r, err := a.text(file)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = r.Close() }()
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, "", err
	}
	scene, err := plan.ParseScene(text)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", file, err)
	}
	others, missing := scene.Beside(ro)
	switch {
	case len(ro.Spec.NAT.Gateways) == 0:
		return scene, fmt.Sprintf("spec.nat.gateways names no gateway: it is assumed that the traffic leaves through %s", all(scene.Names())), nil
	case len(others) > 0:
		return nil, "", usagef("%s is about %s, and spec.nat.gateways of %s names %s: write what is known of those into the file, or name in the manifest what the traffic leaves through",
			file, all(others), view.Name(ro), all(plan.Named(ro)))
	case len(missing) > 0:
		return scene, fmt.Sprintf("%s is not forecast: spec.nat.gateways names it, and %s does not", all(missing), file), nil
	}
	return scene, "", nil
}

// all writes names as a list.
func all(names []string) string { return strings.Join(names, ", ") }

// sceneThere reads the rollout of the same name in the cluster.
func (a *app) sceneThere(ctx context.Context, ro *v1alpha1.CloudRunRollout, instances int64) (*plan.Scene, string, error) {
	namespace, err := a.namespace()
	if err != nil {
		return nil, "", err
	}
	if ro.Namespace != "" {
		namespace = ro.Namespace
	}
	cluster, err := a.cluster()
	if err != nil {
		return nil, "", err
	}
	there, err := cluster.Get(ctx, source.Name{Namespace: namespace, Name: ro.Name})
	if err != nil {
		return nil, "", err
	}
	scene := plan.SceneOf(there, instances)
	if scene == nil {
		return nil, unforecast + "the status tells of no gateway now; it does while an attempt is under way", nil
	}
	if others, _ := scene.Beside(ro); len(others) > 0 && len(ro.Spec.NAT.Gateways) > 0 {
		return nil, fmt.Sprintf("%sthe status tells of %s, and spec.nat.gateways of the manifest names %s", unforecast, all(others), all(plan.Named(ro))), nil
	}
	return scene, "", nil
}
