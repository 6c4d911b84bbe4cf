package chaos

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pair starts a manager that leads and another that stands by.
func (s *stage) pair() (leader, standby *operator) {
	s.t.Helper()
	leader = s.newOperator(elected(s.key.Namespace)...).startLeading()
	return leader, s.newOperator(elected(s.key.Namespace)...).start()
}

// parked waits for a write that is held up.
func (s *stage) parked(held <-chan *parcel) *parcel {
	s.t.Helper()
	var p *parcel
	s.await("a write is sent", func() bool {
		select {
		case p = <-held:
			return true
		default:
			return false
		}
	})
	return p
}

// steps waits until so many writes were accepted.
func (s *stage) steps(count int) {
	s.t.Helper()
	s.await("a write is accepted", func() bool { return len(s.splits()) >= count })
}

func TestLeaders(t *testing.T) {
	t.Parallel()
	perform(t, []scenario{
		{"a leader that is killed while a candidate bakes is followed by its standby", true, func(s *stage) {
			leader, _ := s.pair()
			s.deploy("web:2", "web-2")
			s.bakes("web-2", 20)
			leader.kill()
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a bad release goes back under the standby of a killed leader", false, func(s *stage) {
			leader, _ := s.pair()
			s.deploy("web:bad", "web-2")
			s.bakes("web-2", 20)
			leader.kill()
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
		{"a write that outlives its killed leader and arrives before its successor looks is taken as done", false, func(s *stage) {
			leader, _ := s.pair()
			held := leader.run.holdNext()
			s.deploy("web:2", "web-2")
			write := s.parked(held)
			leader.kill()
			if code := write.arrive(); code != http.StatusOK {
				s.t.Errorf("the write was answered with %d", code)
			}
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a write that outlives its killed leader and arrives after its successor stepped is refused", false, func(s *stage) {
			leader, _ := s.pair()
			held := leader.run.holdNext()
			s.deploy("web:2", "web-2")
			write := s.parked(held)
			leader.kill()
			s.steps(1)
			s.refuses(write)
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a leader that is told to end while a write is under way leaves it to its successor", false, func(s *stage) {
			leader, _ := s.pair()
			held := leader.run.holdNext()
			s.deploy("web:2", "web-2")
			write := s.parked(held)
			leader.signal(syscall.SIGTERM)
			leader.exits()
			s.steps(1)
			s.refuses(write)
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a deposed leader's write is refused, and it exits", true, func(s *stage) {
			leader, _ := s.pair()
			held := leader.run.holdNext()
			s.deploy("web:2", "web-2")
			write := s.parked(held)
			leader.signal(syscall.SIGSTOP)
			s.steps(1)
			leader.signal(syscall.SIGCONT)
			s.refuses(write)
			leader.exits()
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a leader that sleeps through its lease at every step never writes beside its successor", false, func(s *stage) {
			leader, standby := s.pair()
			s.deploy("web:2", "web-2")
			for _, weight := range []int{20, 50} {
				s.bakes("web-2", weight)
				leader.signal(syscall.SIGSTOP)
				s.steps(len(s.splits()) + 1)
				leader.signal(syscall.SIGCONT)
				leader.exits()
				leader, standby = standby, leader
				standby.start()
			}
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"two managers that both believe to lead roll out once", true, func(s *stage) {
			s.newOperator(alone...).startLeading()
			s.newOperator(alone...).start()
			s.deploy("web:2", "web-2")
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"two managers that both believe to lead go back once", false, func(s *stage) {
			s.newOperator(alone...).startLeading()
			s.newOperator(alone...).start()
			s.deploy("web:bad", "web-2")
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
	})
}

// refuses lets a write arrive and holds that it changes nothing.
func (s *stage) refuses(write *parcel) {
	s.t.Helper()
	before := s.splits()
	if code := write.arrive(); code != http.StatusConflict {
		s.t.Errorf("the write was answered with %d, want a conflict", code)
	}
	if diff := cmp.Diff(before, s.splits()); diff != "" {
		s.t.Errorf("it took effect:\n%s", diff)
	}
}
