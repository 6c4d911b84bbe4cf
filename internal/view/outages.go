package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Outages says which calls of Google's APIs fail, in a sentence each, Cloud Run first. It
// is told by the rollouts that wait for an answer, so that every reader of their statuses
// is told the same. Calls that hold no rollout up are told in metrics alone.
func (r Reader) Outages(rollouts []v1alpha1.CloudRunRollout) []string {
	var unread, unmeasured outage
	for i := range rollouts {
		ro := &rollouts[i]
		if c := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionTrafficInSync); c != nil && notRead(ro, c) {
			unread.add(ro, c, c.Message)
		}
		if c := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionMetricsAvailable); c != nil && c.Status == metav1.ConditionFalse {
			if says := notMeasured(ro); says != "" {
				unmeasured.add(ro, c, "No metrics: "+says)
			}
		}
	}
	var told []string
	for _, o := range []outage{unread, unmeasured} {
		if o.count > 0 {
			told = append(told, fmt.Sprintf("%s (%s since %s; %d of %s)",
				o.says, o.name, r.At(o.since), o.count, Plural(len(rollouts), "rollout", "rollouts")))
		}
	}
	return told
}

// outage is what the rollouts say that an API holds up, in the words of the one that has
// waited for the longest.
type outage struct {
	count      int
	since      time.Time
	name, says string
}

func (o *outage) add(ro *v1alpha1.CloudRunRollout, c *metav1.Condition, says string) {
	if o.count == 0 || c.LastTransitionTime.Time.Before(o.since) {
		o.since, o.name, o.says = c.LastTransitionTime.Time, Name(ro), strings.TrimSuffix(says, ".")+"."
	}
	o.count++
}

// notRead tells whether a rollout waits for an answer about its service. One that was
// told that the service is not there, or not to be read, has its answer.
func notRead(ro *v1alpha1.CloudRunRollout, inSync *metav1.Condition) bool {
	return inSync.Reason == v1alpha1.ReasonTrafficUnknown && !meta.IsStatusConditionFalse(ro.Status.Conditions, v1alpha1.ConditionAccepted)
}

// failing are the causes of missing metrics that lie in the call and not in the data.
var failing = []v1alpha1.NoDataCause{v1alpha1.CauseUnavailable, v1alpha1.CauseQuotaExceeded, v1alpha1.CauseAccessDenied}

// notMeasured is what the first check says that Cloud Monitoring did not answer; "" where
// none does.
func notMeasured(ro *v1alpha1.CloudRunRollout) string {
	for _, c := range ro.Status.Checks {
		if slices.Contains(failing, c.Cause) {
			return Dash(c.Message)
		}
	}
	return ""
}
