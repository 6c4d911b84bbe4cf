package chaos

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// still is how long nothing may happen, in the world's time.
const still = 30 * time.Minute

// begun starts one manager and a release, until it bakes at the first weight.
func (s *stage) begun(image string) *operator {
	s.t.Helper()
	o := s.newOperator(alone...).startLeading()
	s.deploy(image, "web-2")
	s.bakes("web-2", 20)
	return o
}

func (s *stage) pause(paused bool) {
	s.t.Helper()
	s.edit(func(spec *v1alpha1.CloudRunRolloutSpec) { spec.Paused = paused })
}

// unsent holds that no write was held up: none could have been saved before.
func (s *stage) unsent(held <-chan *parcel) {
	s.t.Helper()
	select {
	case <-held:
		s.t.Error("it sent a write that it could not have saved")
	default:
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	silent := wrong{silent: true}
	perform(t, []scenario{
		{"a rollout goes on while its watch is silent", false, func(s *stage) {
			s.begun("web:2").kube.suffer(silent)
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a bad release goes back while its watch is silent", false, func(s *stage) {
			s.begun("web:bad").kube.suffer(silent)
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
		{"a pause is obeyed and answered while the watch is silent", true, func(s *stage) {
			s.begun("web:2").kube.suffer(silent)
			s.pause(true)
			s.becomes("Paused/Paused")
			s.while(s.silent(1), s.passes(still))
			s.pause(false)
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"an abort is followed while the watch is silent", false, func(s *stage) {
			s.begun("web:2").kube.suffer(silent)
			s.ask(v1alpha1.VerbAbort)
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
		{"an abort is followed while the watch is silent and a person is waited for", false, func(s *stage) {
			s.edit(func(spec *v1alpha1.CloudRunRolloutSpec) { spec.Strategy.Steps[1].Approval = v1alpha1.ApprovalRequired })
			o := s.begun("web:2")
			s.becomes("AwaitingApproval/AwaitingApproval")
			o.kube.suffer(silent)
			s.ask(v1alpha1.VerbAbort)
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
		{"access that is taken away stops the next rise while the watch is silent", true, func(s *stage) {
			s.begun("web:2").kube.suffer(silent)
			s.access(func(spec *v1alpha1.CloudRunAccessSpec) { spec.Services[0].Names = []string{"another"} })
			s.becomes("Held/AccessDenied")
			s.wrote(out[0])
			s.access(func(spec *v1alpha1.CloudRunAccessSpec) { spec.Services[0].Names = []string{"web"} })
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a watch that is dropped again and again changes nothing", false, func(s *stage) {
			o := s.begun("web:2")
			drop := s.passes(time.Minute)
			s.await("it is out", func() bool {
				if drop() {
					o.kube.hangUp()
					drop = s.passes(time.Minute)
				}
				return s.is() == "Completed/Completed"
			})
			s.wrote(out...)
		}},
		{"a view put back to an earlier step repeats no step", false, func(s *stage) {
			o := s.newOperator(alone...)
			o.env = []string{"KUBE_FEATURE_WatchListClient=false"}
			o.startLeading()
			s.deploy("web:2", "web-2")
			s.bakes("web-2", 20)
			past := s.get().ResourceVersion
			s.bakes("web-2", 50)
			o.kube.rewind(past)
			s.while(s.silent(2), s.passes(time.Minute))
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a view put back to before an abort does not rise again", false, func(s *stage) {
			o := s.newOperator(alone...)
			o.env = []string{"KUBE_FEATURE_WatchListClient=false"}
			o.startLeading()
			s.deploy("web:2", "web-2")
			s.bakes("web-2", 20)
			past := s.get().ResourceVersion
			s.ask(v1alpha1.VerbAbort)
			s.becomes("RolledBack/RolledBack")
			o.kube.rewind(past)
			s.while(s.silent(2), s.passes(2*still))
			o.kube.suffer(wrong{})
			s.while(s.silent(2), s.passes(still))
			s.wrote(back...)
		}},
		{"an apiserver that is busy and then slow delays a rollout and breaks nothing", false, func(s *stage) {
			o := s.begun("web:2")
			o.kube.suffer(wrong{busy: true})
			s.while(s.silent(1), s.passes(still))
			o.kube.suffer(wrong{slow: 300 * time.Millisecond})
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a bad release goes back through an apiserver that takes six seconds for everything", false, func(s *stage) {
			s.begun("web:bad").kube.suffer(wrong{slow: 6 * time.Second})
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
		{"a leader cut off from the apiserver alone writes nothing, exits, and is followed", true, func(s *stage) {
			leader, _ := s.pair()
			s.deploy("web:2", "web-2")
			s.bakes("web-2", 20)
			sent := leader.run.holdNext()
			leader.kube.cut()
			leader.exits()
			s.becomes("Completed/Completed")
			s.unsent(sent)
			s.wrote(out...)
		}},
		{"a leader whose requests to the apiserver are lost without a word writes nothing, exits, and is followed", false, func(s *stage) {
			leader, _ := s.pair()
			s.deploy("web:2", "web-2")
			s.bakes("web-2", 20)
			sent := leader.run.holdNext()
			leader.kube.lose()
			leader.exits()
			s.becomes("Completed/Completed")
			s.unsent(sent)
			s.wrote(out...)
		}},
		{"a bad release goes back once calls of Cloud Run are no longer lost without a word", true, func(s *stage) {
			o := s.begun("web:bad")
			o.run.lose(true)
			s.while(s.silent(1), s.passes(still))
			o.run.lose(false)
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
		{"a manager without a lease that is cut off from the apiserver writes nothing until it is back", false, func(s *stage) {
			o := s.begun("web:2")
			o.kube.cut()
			s.while(s.silent(1), s.passes(still))
			o.kube.suffer(wrong{})
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
	})
}
