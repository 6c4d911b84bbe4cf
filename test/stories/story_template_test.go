package stories_test

import (
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// wants is a template as Git has it. Its digest is the name that the story calls it by.
func wants(name string) func(*rollout.Plan) {
	return func(p *rollout.Plan) {
		image := "example.com/web:" + name
		p.Template = rollout.Template{Digest: name, JSON: fmt.Sprintf(`{"containers":[{"image":%q}],"timeout":"60s"}`, image), Image: image}
	}
}

// images says how what is made from templates behaves.
func images(behaviours map[string]simulator.Behaviour) func(*simulator.Scenario) {
	return func(s *simulator.Scenario) {
		s.Services[0].Images = map[string]simulator.Behaviour{}
		for name, b := range behaviours {
			s.Services[0].Images["example.com/web:"+name] = b
		}
	}
}

var (
	bad        = simulator.Behaviour{Errors: []simulator.ErrorRate{failing(5, 0)}}
	doesNot    = simulator.Behaviour{Startup: simulator.Startup{Fails: &simulator.StartupFailure{}}}
	gitWantsV2 = at("10m", "git: spec.template has image v2", planTo(wants("v2")))
)

// fromV1 is a service that a template of ours serves already.
func fromV1(s *simulator.Scenario) {
	s.Services[0].Revisions[0].Annotations = map[string]string{rollout.TemplateAnnotation: "v1"}
}

// templateStories: the revision is deployed from Git too.
var templateStories = []story{
	{
		name: "template-healthy", title: "A template in Git is deployed, and its revision goes through every step.",
		tale: []moment{gitWantsV2},
		want: rollout.Completed,
	},
	{
		name: "template-pinned-first", title: "Where traffic follows LATEST it is pinned before the template is deployed.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Services[0].Traffic = nil }},
		plan:  []func(*rollout.Plan){wants("v2")},
		want:  rollout.Completed,
	},
	{
		name: "template-does-not-start", title: "A template whose container does not start never gets traffic; its correction does.",
		world: []func(*simulator.Scenario){images(map[string]simulator.Behaviour{"v2": doesNot})},
		tale:  []moment{gitWantsV2, at("20m", "git: spec.template has image v3", planTo(wants("v3")))},
		want:  rollout.Completed,
	},
	{
		name: "template-breach", title: "A template that fails is rolled back, and it is said that Git still wants it.",
		world: []func(*simulator.Scenario){images(map[string]simulator.Behaviour{"v2": bad})},
		tale:  []moment{gitWantsV2},
		want:  rollout.RolledBack,
	},
	{
		name: "template-reverted-after-breach", title: "After a rollback Git goes back to what serves: all is well again, and nothing is deployed.",
		world: []func(*simulator.Scenario){fromV1, images(map[string]simulator.Behaviour{"v2": bad})},
		plan:  []func(*rollout.Plan){wants("v1")},
		tale: []moment{
			gitWantsV2,
			when(in(rollout.RolledBack, 0), "5m", "git: spec.template is reverted to v1", planTo(wants("v1"))),
		},
		want: rollout.Idle,
	},
	{
		name: "template-reverted-midway", title: "Git goes back to what stable serves during an attempt: so does the traffic, in one write.",
		world: []func(*simulator.Scenario){fromV1},
		plan:  []func(*rollout.Plan){wants("v1")},
		tale: []moment{
			gitWantsV2,
			when(in(rollout.Baking, 25), "3m", "git: spec.template is reverted to v1", planTo(wants("v1"))),
		},
		want: rollout.Idle,
	},
	{
		name: "template-wanted-again", title: "What Git took back and wants again starts anew, without another revision.",
		world: []func(*simulator.Scenario){fromV1},
		plan:  []func(*rollout.Plan){wants("v1")},
		tale: []moment{
			gitWantsV2,
			when(in(rollout.Baking, 25), "3m", "git: spec.template is reverted to v1", planTo(wants("v1"))),
			at("60m", "git: spec.template has image v2 again", planTo(wants("v2"))),
		},
		want: rollout.Completed,
	},
	{
		name: "template-replaced-midway", title: "A newer template during an attempt is deployed at once; its rollout begins from stable.",
		tale: []moment{gitWantsV2, when(in(rollout.Baking, 25), "3m", "git: spec.template has image v3", planTo(wants("v3")))},
		want: rollout.Completed,
	},
	{
		name: "template-replaced-while-held", title: "A rollout that ran out of time is cured by a push.",
		world: []func(*simulator.Scenario){images(map[string]simulator.Behaviour{"v3": {}})},
		plan:  []func(*rollout.Plan){func(p *rollout.Plan) { p.StepDeadline = 30 * time.Minute }},
		tale: []moment{
			gitWantsV2,
			when(in(rollout.Baking, 25), "1m", "the users leave", users(0)),
			when(because(rollout.StepDeadlineExceeded), "10m", "they come back, and git: spec.template has image v3", func(b *teller) {
				users(20)(b)
				planTo(wants("v3"))(b)
			}),
		},
		want: rollout.Completed,
	},
	{
		name: "template-crash-after-write", title: "The controller dies after it sent a template: there is one revision of it.",
		tale: []moment{gitWantsV2, during(afterWrite, 1, "the controller crashes", crash("1m"))},
		want: rollout.Completed,
	},
	{
		name: "template-crash-before-write", title: "The controller dies before it sent a template, and sends it later.",
		tale: []moment{gitWantsV2, during(beforeWrite, 1, "the controller crashes", crash("1m"))},
		want: rollout.Completed,
	},
	{
		name: "template-lost-answer", title: "The answer to a template is lost: there is one revision of it.",
		tale: []moment{
			gitWantsV2,
			during(beforeWrite, 1, "the network loses the answer to the next write", inject(onWrites(simulator.FaultDrop))),
		},
		want: rollout.Completed,
	},
	{
		name: "template-comes-twice", title: "The network delivers a template twice: there is one revision of it.",
		tale: []moment{gitWantsV2, during(beforeWrite, 1, "the network delivers the next write twice", inject(onWrites(simulator.FaultDuplicate)))},
		want: rollout.Completed,
	},
	{
		name: "template-lands-late", title: "A template lands minutes after it was sent, and after Git took it back: nobody gets it.",
		world: []func(*simulator.Scenario){fromV1},
		plan:  []func(*rollout.Plan){wants("v1")},
		tale: []moment{
			gitWantsV2,
			during(beforeWrite, 1, "the network holds the next write back for two minutes", inject(simulator.Fault{
				Kind: simulator.FaultPark, Operation: "services.patch", Delay: minutes(2),
			})),
			during(afterWrite, 1, "the controller crashes", crash("1m")),
			at("10m30s", "git: spec.template is reverted to v1", planTo(wants("v1"))),
		},
		want: rollout.Idle, until: 30 * time.Minute,
	},
	{
		name: "template-races-a-person", title: "A person edits the service between the read and the template: it is sent again, on what they did.",
		tale: []moment{
			gitWantsV2,
			during(beforeWrite, 1, "alice puts a tag on web-1", retagged),
		},
		want: rollout.Completed,
	},
	{
		name: "template-hotfix-past-git", title: "A person's hotfix past Git is rolled out, and not taken back for what Git has.",
		tale: []moment{
			gitWantsV2,
			when(in(rollout.Completed, 100), "10m", "alice deploys web-9 with gcloud, which is healthy", deploy("web-9")),
		},
		want: rollout.Completed,
	},
	{
		name: "template-paused-in-git", title: "While spec.paused is true no template is deployed.",
		plan: []func(*rollout.Plan){func(p *rollout.Plan) { p.Paused = true }},
		tale: []moment{gitWantsV2, at("20m", "git: spec.paused is false", pausedTo(false))},
		want: rollout.Completed,
	},
}

// retagged is a person's tag on web-1.
func retagged(b *teller) {
	b.must(b.world.EditTraffic("web", []simulator.TrafficTarget{{Revision: "web-1", Percent: 100, Tag: "blue"}}, alice))
}
