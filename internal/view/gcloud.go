package view

import (
	"fmt"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Gcloud is the command that sends a service's traffic to stable without Sluice,
// for when Cloud Run does not let Sluice; "" while stable is not known. Where Config
// Connector keeps the service it is one for the RunService: what gcloud sets would not
// last, and where the rollout does not know the RunService there is none.
func Gcloud(ro *v1alpha1.CloudRunRollout) string {
	if name := ro.Spec.Target.RunServiceName(); name != "" && ro.Status.Stable != nil {
		return fmt.Sprintf(`kubectl -n %s patch runservice %s --type merge --patch `+
			`'{"spec":{"traffic":[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"%s","percent":100}]}}'`,
			Dash(ro.Namespace), name, ro.Status.Stable.Revision)
	}
	service := Service(ro)
	if ro.Status.Stable == nil || service.Name == "" || pastKeeper(ro) {
		return ""
	}
	return fmt.Sprintf("gcloud run services update-traffic %s --project %s --region %s --to-revisions %s=100",
		service.Name, service.Project, service.Location, ro.Status.Stable.Revision)
}
