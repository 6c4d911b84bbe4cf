package view

import (
	"fmt"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Gcloud is the command that sends a service's traffic to stable without Sluice,
// for when Cloud Run does not let Sluice; "" while stable is not known.
func Gcloud(ro *v1alpha1.CloudRunRollout) string {
	service := Service(ro)
	if ro.Status.Stable == nil || service.Name == "" {
		return ""
	}
	return fmt.Sprintf("gcloud run services update-traffic %s --project %s --region %s --to-revisions %s=100",
		service.Name, service.Project, service.Location, ro.Status.Stable.Revision)
}
