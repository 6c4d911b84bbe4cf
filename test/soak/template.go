package soak

import (
	"context"
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/template"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// templateOf is a template as Git has it: of a release of the pipeline, or of an edit of
// somebody's, who may want again what was there before.
func (s Setting) templateOf(image, release string) *runtime.RawExtension {
	access := ""
	if s.NAT != NoNAT {
		access = `,"vpcAccess":{"egress":"ALL_TRAFFIC","networkInterfaces":[{"network":"shared","subnetwork":"run"}]}`
	}
	return &runtime.RawExtension{Raw: fmt.Appendf(nil, `{"containers":[{"image":%q}],"labels":{"release":%q},"timeout":"60s"%s}`, image, release, access)}
}

// push writes a template of an image into the spec, as Git does.
func (p *person) push(image, release string) {
	p.edit(func(ro *v1alpha1.CloudRunRollout) {
		ro.Spec.CandidateRevision = "" // the two exclude each other
		ro.Spec.Template = p.stage.script.Setting.templateOf(image, release)
	})
	p.stage.record.restedAt = p.stage.now() // nobody has looked at it yet
}

// publish releases the pipeline's next image: with gcloud, or in Git.
func (p *person) publish(image string) {
	if p.stage.script.Setting.FromGit {
		p.push(image, strconv.Itoa(p.released))
		return
	}
	p.deploy(image)
}

// digestOf is which template a spec wants; "" for none.
func digestOf(spec v1alpha1.CloudRunRolloutSpec) (string, error) {
	if spec.Template == nil {
		return "", nil
	}
	wanted, _, err := template.Read(spec.Template.Raw)
	return wanted.Digest, err
}

// SetTemplate implements controllers.Deployer, with its two fences.
func (c *cloud) SetTemplate(_ context.Context, ref rollout.ServiceRef, d rollout.Deploy) error {
	const what = "deploying a template"
	request, err := pilot.Deploy(ref, &d)
	if err != nil {
		return &cloudrun.CallError{Op: what, Kind: cloudrun.ErrInvalid, Detail: err.Error()}
	}
	var op simulator.Operation
	err = c.process.sends(request, func() (err error) {
		op, err = c.api.PatchService(request)
		return err
	})
	return c.fenced(what, op, err, d.Generation())
}
