package controllers

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// deployer makes revisions of templates in a small Cloud Run.
type deployer struct {
	*fakeCloud

	at      func() time.Time
	sent    []rollout.Deploy
	refuses error  // while set; nothing is made
	loses   bool   // the answers
	slow    bool   // Cloud Run does not come to an end
	barred  string // why templates may not be deployed
}

func (d *deployer) SetTemplate(_ context.Context, _ rollout.ServiceRef, deploy rollout.Deploy) error {
	d.sent = append(d.sent, deploy)
	switch {
	case d.refuses != nil:
		return d.refuses
	case deploy.ETag() != d.service.ETag:
		return &cloudrun.CallError{Op: "deploying", Kind: cloudrun.ErrConflict}
	}
	digest, name := deploy.Template().Digest, fmt.Sprintf("web-%d", len(d.revisions)+1)
	d.deploy(name, d.at().Add(time.Second))
	d.service.Template = digest
	d.edit(name, func(r *rollout.Revision) { r.Template = digest })
	d.service.Reconciling = d.slow
	if d.loses {
		return &cloudrun.CallError{Op: "deploying", Kind: cloudrun.ErrAmbiguous}
	}
	return nil
}

// fromGit is a stage whose clouds deploy templates.
func fromGit(t *testing.T) (*stage, *deployer) {
	t.Helper()
	s, d := newStage(t), &deployer{}
	s.deploysTo(d)
	s.pass()
	return s, d
}

// deploysTo has the clouds of a stage make revisions.
func (s *stage) deploysTo(d *deployer) {
	d.fakeCloud, d.at = s.cloud, func() time.Time { return s.clock.Now() }
	s.r.Connect = func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) {
		return Cloud{
			Observer: s.cloud, Actuator: s.cloud, Metrics: s.cloud, Deployer: d,
			MayDeploy: func(context.Context, rollout.ServiceRef, rollout.Template) (string, error) { return d.barred, nil },
		}, nil
	}
}

// push writes a template into the spec.
func (s *stage) push(template string) {
	s.t.Helper()
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Template = &runtime.RawExtension{Raw: []byte(template)} })
}

// says tells what the object says of itself: phase, reason, and of a condition its reason
// and message.
func (s *stage) says(condition string) string {
	ro := s.get()
	c := meta.FindStatusCondition(ro.Status.Conditions, condition)
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%s %s=%s/%s: %s", ro.Status.Phase, c.Type, c.Status, c.Reason, c.Message)
}

const pushed = `{"containers":[{"image":"example.com/web:2@sha256:0000000000000000000000000000000000000000000000000000000000000000"}]}`

func TestATemplateIsDeployedAndRolledOut(t *testing.T) {
	t.Parallel()
	s, d := fromGit(t)
	s.push(pushed)
	s.pass()
	if got := s.says(v1alpha1.ConditionReady); !strings.HasPrefix(got, "Idle Ready=False/Deploying: ") || s.cloud.sent() != 0 {
		t.Errorf("%s, with %d writes of traffic", got, s.cloud.sent())
	}
	if got := s.says(v1alpha1.ConditionReconciling); !strings.Contains(got, "Reconciling=True/Deploying") {
		t.Errorf("it is not under way: %s", got)
	}
	ro := s.until(v1alpha1.PhaseCompleted)
	if ro.Status.Stable.Revision != "web-2" || len(d.sent) != 1 || ro.Status.Attempt.DeployedTemplate != d.sent[0].Template().Digest {
		t.Errorf("%d templates were sent; %+v", len(d.sent), ro.Status)
	}
	s.restart()
	if s.pass(); len(d.sent) != 1 {
		t.Error("a new process deploys it again")
	}
}

// TestALiteralSecretIsWarnedOf once, when it is deployed, by its place, also where nobody
// heard that it was.
func TestALiteralSecretIsWarnedOf(t *testing.T) {
	t.Parallel()
	warned := func(s *stage) (all []string) {
		for _, told := range s.told() {
			if strings.Contains(told, v1alpha1.ReasonLiteralSecret) {
				all = append(all, told)
			}
		}
		return all
	}
	const want = "Warning LiteralSecret spec.template.containers[0].env[0].value: is a secret by the variable's name, and everybody who may read this object or the revision can read it: use valueSource.secretKeyRef"
	for _, loses := range []bool{false, true} {
		s, d := fromGit(t)
		d.loses = loses
		s.push(strings.Replace(pushed, `[{`, `[{"env":[{"name":"DB_PASSWORD","value":"hunter2!"},{"name":"LEVEL","value":"debug"}],`, 1))
		s.until(v1alpha1.PhaseCompleted)
		if got := warned(s); len(got) != 1 || got[0] != want {
			t.Errorf("told %q, where an answer that is lost is %v", got, loses)
		}
	}
	s, _ := fromGit(t)
	s.push(pushed)
	s.until(v1alpha1.PhaseCompleted)
	if got := warned(s); len(got) > 0 {
		t.Errorf("told %q of a template without one", got)
	}
}

func TestATemplateWhoseAnswerIsLostIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s, d := fromGit(t)
	d.loses = true
	s.push(pushed)
	s.until(v1alpha1.PhaseBaking)
	if len(d.sent) != 1 {
		t.Errorf("it was sent %d times", len(d.sent))
	}
}

func TestATemplateMeetsAChangeAndIsSentOnWhatItBecame(t *testing.T) {
	t.Parallel()
	s, d := fromGit(t)
	s.push(pushed)
	s.cloud.set(func() { s.cloud.onRead = func() { s.cloud.set(s.cloud.change) } })
	s.until(v1alpha1.PhaseBaking)
	if len(d.sent) == 0 {
		t.Error("it was never sent")
	}
}

// TestARefusedTemplateHoldsNothingElseUp: the rights that a template needs are more than
// those of a split.
func TestARefusedTemplateHoldsNothingElseUp(t *testing.T) {
	t.Parallel()
	s, d := fromGit(t)
	d.refuses = &cloudrun.CallError{Op: "deploying", Kind: cloudrun.ErrDenied, Detail: "Permission 'iam.serviceaccounts.actAs' denied"}
	s.push(pushed)
	s.pass()
	s.pass()
	for _, condition := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionAccepted} {
		if got := s.says(condition); !strings.Contains(got, "Idle "+condition+"=False/NotDeployed: ") || !strings.Contains(got, "'iam.serviceaccounts.actAs' denied") {
			t.Errorf("says %s", got)
		}
	}
	s.pass()
	if len(d.sent) != 1 {
		t.Errorf("it was sent %d times in a row", len(d.sent))
	}
	s.wait(deniedFor)
	s.pass()
	if len(d.sent) != 2 {
		t.Errorf("after a while it was sent %d times", len(d.sent))
	}
	s.cloud.deploy("web-9", s.clock.Now().Add(time.Second))
	if ro := s.until(v1alpha1.PhaseCompleted); ro.Status.Stable.Revision != "web-9" {
		t.Errorf("another's revision is held up: %+v", ro.Status)
	}
	d.refuses = nil
	s.push(strings.Replace(pushed, "web:2", "web:3", 1))
	if s.pass(); len(d.sent) == 2 || d.sent[len(d.sent)-1].Template().Digest == d.sent[1].Template().Digest {
		t.Error("another template waits for the one that was refused")
	}
}

func TestATemplateThatIsWrongIsToldWithItsPath(t *testing.T) {
	t.Parallel()
	s, d := fromGit(t)
	s.push(`{"containers":[{"imagee":"x"}]}`)
	s.pass()
	got := s.says(v1alpha1.ConditionAccepted)
	if !strings.Contains(got, "Accepted=False/InvalidSpec: spec.template is not deployed: ") || !strings.Contains(got, "spec.template.containers[0].imagee") {
		t.Errorf("says %s", got)
	}
	if got := s.says(v1alpha1.ConditionStalled); !strings.Contains(got, "Stalled=True/NotDeployed") {
		t.Errorf("says %s", got)
	}
	s.cloud.deploy("web-9", s.clock.Now().Add(time.Second))
	s.until(v1alpha1.PhaseBaking)
	s.cloud.set(func() { s.cloud.errors["web-9"] = 50 })
	if s.until(v1alpha1.PhaseRolledBack); len(d.sent) != 0 {
		t.Error("it was sent")
	}
	s.push(pushed)
	if s.pass(); len(d.sent) != 1 || !strings.Contains(s.says(v1alpha1.ConditionAccepted), "Accepted=True") {
		t.Errorf("corrected, it is not deployed: %s", s.says(v1alpha1.ConditionAccepted))
	}
}

func TestATemplateNeedsLeave(t *testing.T) {
	t.Parallel()
	s, d := fromGit(t)
	d.barred = "no CloudRunAccess lets this namespace deploy; the platform team would write mayDeploy: true"
	s.push(pushed)
	s.pass()
	if got := s.says(v1alpha1.ConditionAccepted); !strings.Contains(got, "NotDeployed") || !strings.Contains(got, d.barred) || len(d.sent) != 0 {
		t.Errorf("says %s, and sent %d", got, len(d.sent))
	}
	d.barred = ""
	if s.pass(); len(d.sent) != 1 {
		t.Error("with leave it is not deployed")
	}
}

// TestATemplateIsNotSentLongAfterItsSave: what a person has changed since then was not
// known to the decision.
func TestATemplateIsNotSentLongAfterItsSave(t *testing.T) {
	t.Parallel()
	s, d := fromGit(t)
	deploy, err := rollout.NewDeploy("e", 1, rollout.Template{Digest: "0123456789abcdef", JSON: "{}"})
	if err != nil {
		t.Fatal(err)
	}
	cloud := Cloud{Deployer: d}
	if err := s.r.deploy(t.Context(), cloud, rollout.ServiceRef{}, *deploy, s.process.Now().Add(-delta-time.Second)); err == nil || len(d.sent) != 0 {
		t.Errorf("%v, and it was sent %d times", err, len(d.sent))
	}
	if err := s.r.deploy(t.Context(), Cloud{}, rollout.ServiceRef{}, *deploy, s.process.Now()); err == nil {
		t.Error("a target whose revisions are somebody else's takes a template")
	}
}

// TestATemplateThatFailsIsNoServiceThatCannotBeRead: what fails is sent again later, and
// nothing else is told of the service.
func TestATemplateThatFailsIsNoServiceThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]error{
		"over quota": cloudrun.ErrThrottled, "not sent": cloudrun.ErrUnavailable, "unknown": cloudrun.ErrAmbiguous, "garbled": cloudrun.ErrGarbled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := fromGit(t)
			d.refuses = &cloudrun.CallError{Op: "deploying", Kind: kind, Detail: "it failed"}
			s.push(pushed)
			for range 20 {
				_, _ = s.r.Reconcile(t.Context(), s.get())
				s.wait(5 * time.Second)
			}
			if n := len(d.sent); n < 2 || n > 6 {
				t.Errorf("in 100 seconds it was sent %d times", n)
			}
			if got := s.says(v1alpha1.ConditionTrafficInSync); !strings.Contains(got, "TrafficInSync=True") {
				t.Errorf("of the traffic it is said: %s", got)
			}
			deployed := 0
			for _, told := range s.told() {
				if strings.Contains(told, "is deployed; web-1 keeps its traffic") {
					deployed++
				}
			}
			if deployed > 1 {
				t.Errorf("it was told %d times", deployed)
			}
			s.cloud.deploy("web-9", s.clock.Now().Add(time.Second))
			for range 60 {
				_, _ = s.r.Reconcile(t.Context(), s.get())
				s.wait(15 * time.Second)
			}
			if c := s.get().Status.Attempt.Candidate; c != "web-9" {
				t.Errorf("another's revision is held up: the candidate is %q, %s", c, s.says(v1alpha1.ConditionReady))
			}
		})
	}
}

func TestWhatCloudRunQuotesIsNotRepeated(t *testing.T) {
	t.Parallel()
	s, d := fromGit(t)
	d.refuses = &cloudrun.CallError{Op: "deploying", Kind: cloudrun.ErrInvalid, Detail: `Invalid value at 'env[0].value': "hunter2"`}
	s.push(`{"containers":[{"image":"example.com/web:2","env":[{"name":"PASSWORD","value":"hunter2"}]}]}`)
	s.pass()
	s.pass()
	ro := s.get()
	ro.Spec.Template = nil
	text := fmt.Sprintf("%+v %v", ro.Status, s.told())
	if strings.Contains(text, "hunter2") || !strings.Contains(text, "a value of the template") {
		t.Errorf("it says %s", text)
	}
}
