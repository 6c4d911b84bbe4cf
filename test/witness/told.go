package witness

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// told is what people read in a status of what serves: beside the revisions, in the
// weight, and in the words of the condition. A status that says that nothing can be read
// tells nothing.
func told(s *v1alpha1.CloudRunRolloutStatus) []invariants.Split {
	inSync := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionTrafficInSync)
	if inSync == nil || inSync.Status == metav1.ConditionUnknown {
		return nil
	}
	return []invariants.Split{beside(s), weighed(s), worded(inSync.Message)}
}

// beside are the percents beside the revisions.
func beside(s *v1alpha1.CloudRunRolloutStatus) invariants.Split {
	said := invariants.Split{}
	for _, r := range []*v1alpha1.RevisionStatus{s.Stable, s.Candidate} {
		if r != nil {
			said[r.Revision] = int(r.Percent)
		}
	}
	return said
}

// weighed is the candidate's weight.
func weighed(s *v1alpha1.CloudRunRolloutStatus) invariants.Split {
	weight, err := strconv.Atoi(strings.TrimSuffix(s.Weight, "%"))
	if err != nil || s.Candidate == nil {
		return nil
	}
	return invariants.Split{s.Candidate.Revision: weight}
}

// worded is what a sentence such as "Cloud Run serves web-2 5%, web-1 95%." says. Those
// whom it only counts, as in "96 others 30%", have no names.
func worded(sentence string) invariants.Split {
	list, ok := strings.CutPrefix(strings.TrimSuffix(sentence, "."), "Cloud Run serves ")
	if !ok {
		return nil
	}
	said := invariants.Split{}
	for part := range strings.SplitSeq(list, ", ") {
		revision, share, _ := strings.Cut(part, " ")
		if percent, err := strconv.Atoi(strings.TrimSuffix(share, "%")); err == nil {
			said[revision] = percent
		}
	}
	return said
}
