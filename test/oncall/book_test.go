package oncall_test

import (
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// soon is how a reader of the day is told a time to come.
const soon = "15:04Z (in "

// rollbackAfter is how long a breach lasts before it leads back where the spec says nothing.
const rollbackAfter = 5 * time.Minute

// stories are the questions of a night.
var stories = []story{
	{
		name: "is-it-my-rollout", question: "Paged for 5xx: is it a rollout, and whose?",
		play: func(n night) {
			n.deploy(web, healthy)
			n.deploy(api, failing)
			n.until(api, v1alpha1.PhaseRollingBack, "25%")
		},
		command: "list -A",
		truth: func(n night) []string {
			return []string{"5% > 25% " + n.served("api-00042", 25).Format("15:04Z")}
		},
	},
	{
		name: "stop-it-now", question: "Stop it now, though Monitoring is down.",
		play: func(n night) {
			n.deploy(api, healthy)
			n.until(api, v1alpha1.PhaseBaking, "25%")
			n.must(n.World.Inject(simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 503, Times: -1}))
			n.wait(time.Minute)
		},
		command: "abort api -n pay --reason checkout",
		truth: func(n night) []string {
			return []string{person, fmt.Sprintf("Cloud Run confirms: %s serves 100%%", n.alone(api))}
		},
	},
	{
		name: "why-did-it-roll-back", question: "Why did it roll back?",
		world: []func(*town){dropping(thirsty, 0)},
		play: func(n night) {
			n.deploy(api, thirsty)
			n.until(api, v1alpha1.PhaseRolledBack, "0%")
		},
		command: "why -n pay api",
		truth: func(n night) []string {
			return []string{"5% > 25%    " + n.served("api-00042", 25).Format("15:04Z"), "prod-nat", "60 packets/min"}
		},
	},
	{
		name: "cause-or-bystander", question: "Is NAT the cause, or is our release a bystander?",
		world: []func(*town){dropping("", 16*time.Minute)},
		play: func(n night) {
			n.deploy(web, healthy)
			n.wait(10 * time.Minute)
			n.deploy(api, healthy)
			n.must(n.Until(api, "held", func(ro *v1alpha1.CloudRunRollout) bool { return ro.Status.Phase == v1alpha1.PhaseHeld }))
			n.wait(2 * time.Minute)
		},
		command: "why -n pay api",
		truth: func(n night) []string {
			return []string{"60 packets/min", "prod-nat  shop/web", "0% > 5% " + n.served("web-00042", 5).Format("15:04Z")}
		},
	},
	{
		name: "what-if-i-do-nothing", question: "It is held. What happens if I do nothing?",
		world: []func(*town){dropping(thirsty, 0)},
		play: func(n night) {
			n.deploy(api, thirsty)
			n.until(api, v1alpha1.PhaseHeld, "25%")
			n.wait(time.Minute)
		},
		command: "get -n pay api",
		truth: func(n night) []string {
			return []string{"60 packets/min", "Goes back to 5% at " + n.breached(api, v1alpha1.CheckNATDrops).Add(rollbackAfter).Format(soon)}
		},
	},
	{
		name: "metrics-are-missing", question: "There are no metrics. Is it healthy, or do we not know?",
		play: func(n night) {
			n.deploy(api, healthy)
			n.until(api, v1alpha1.PhaseBaking, "25%")
			n.wait(4 * time.Minute)
			n.must(n.World.Inject(simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 403, Message: "Permission monitoring.timeSeries.list denied", Times: -1}))
			n.must(n.Until(api, "held", func(ro *v1alpha1.CloudRunRollout) bool { return ro.Status.Phase == v1alpha1.PhaseHeld }))
			n.wait(5 * time.Minute)
		},
		command: "why -n pay api",
		truth: func(n night) []string {
			return []string{"access denied", "pauses at " + n.leaves(api, v1alpha1.PhaseHeld).Format(soon)}
		},
	},
	{
		name: "who-paused-it", question: "Somebody knew better: who froze it, when, and why?",
		play: func(n night) {
			n.deploy(api, healthy)
			n.until(api, v1alpha1.PhaseBaking, "25%")
			n.ask("pause", "api", "-n", "pay", "--reason", "holding for the vendor")
			n.wait(7 * time.Minute)
		},
		command: "why -n pay api",
		truth: func(n night) []string {
			return []string{person, "holding for the vendor", "pause Accepted at " + n.object(api).Status.LastRequest.Time.UTC().Format("15:04Z")}
		},
	},
	{
		name: "somebody-else-moved-it", question: "Git and reality disagree: who moved the traffic?",
		play: func(n night) {
			n.deploy(api, healthy)
			n.until(api, v1alpha1.PhaseBaking, "25%")
			n.wait(time.Minute)
			n.must(n.World.EditTraffic("api", []simulator.TrafficTarget{
				{Type: simulator.AllocateRevision, Revision: "api-00041", Percent: 50}, {Type: simulator.AllocateRevision, Revision: "api-00042", Percent: 50},
			}, "bob@example.com"))
			n.wait(2 * time.Minute)
		},
		command: "why -n pay api",
		truth: func(n night) []string {
			return []string{"bob@example.com", fmt.Sprintf("TrafficConflict at %d%%", n.serves(api)["api-00042"])}
		},
	},
	{
		name: "git-wants-what-failed", question: "Git and reality disagree after a rollback: what does Git want, what serves, and how do I end it?",
		play: func(n night) {
			n.push(api, failing)
			n.until(api, v1alpha1.PhaseRolledBack, "0%")
			n.wait(5 * time.Minute)
		},
		command: "why -n pay api",
		truth: func(n night) []string {
			return []string{
				fmt.Sprintf("Git still wants %s (%s)", n.tried(api), failing), fmt.Sprintf("Cloud Run serves %s 100%%", n.alone(api)),
				"kubectl sluice retry api -n pay",
			}
		},
	},
	{
		name: "it-waits-for-me", question: "What am I asked to approve?",
		world: []func(*town){gated},
		play: func(n night) {
			n.deploy(api, healthy)
			n.until(api, v1alpha1.PhaseAwaitingApproval, "5%")
			n.wait(3 * time.Minute)
		},
		command: "why -n pay api",
		truth: func(n night) []string {
			return []string{
				"kubectl sluice approve api -n pay", fmt.Sprintf("AwaitingApproval at %d%%", n.serves(api)["api-00042"]),
				fmt.Sprintf("%d%% needs a person's approval", n.object(api).Spec.Strategy.Steps[1].Weight),
			}
		},
	},
	{
		name: "is-the-robot-alive", question: "It says that all is well. Is anybody looking?",
		play: func(n night) {
			n.deploy(api, healthy)
			n.until(api, v1alpha1.PhaseBaking, "25%")
			n.wait(5 * time.Minute)
			n.World.Advance(40 * time.Minute) // and no manager is there any more
		},
		command: "get -n pay api",
		truth: func(n night) []string {
			return []string{"STALE: nothing was judged since " + n.served("api-00042", 25).Format("15:04Z"), "api-00042 serves users meanwhile"}
		},
	},
	{
		name: "is-anybody-watching", question: "Nothing is red. Does anybody watch what is under way?",
		play: func(n night) {
			n.deploy(api, healthy)
			n.until(api, v1alpha1.PhaseBaking, "25%")
			n.wait(5 * time.Minute)
			n.World.Advance(40 * time.Minute) // and no manager is there any more
		},
		command: "list -A",
		truth: func(n night) []string {
			return []string{"STALE 45m: Progressing", "Nothing was judged since " + n.served("api-00042", 25).Format("15:04Z"), "STALE: what is shown of 1 of 2 rollouts"}
		},
	},
	{
		name: "hand-over", question: "Hand-over at eight: what happened in the night?",
		play: func(n night) {
			n.deploy(web, healthy)
			n.deploy(api, failing)
			n.until(api, v1alpha1.PhaseRolledBack, "0%")
			n.wait(4 * time.Hour)
		},
		command: "timeline -n pay api --since 12h",
		truth: func(n night) []string {
			const minute = "2006-01-02T15:04:"
			return []string{n.served("api-00042", 5).Format(minute), n.served("api-00042", 25).Format(minute)}
		},
	},
}
