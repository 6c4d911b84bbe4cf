package rollout

import (
	"testing"
	"time"
)

// TestAWriteThatIsSentAgainIsTheNewest: plans that change while Cloud Run refuses writes
// may come back to an older write. It keeps its number, and is what was asked for last.
func TestAWriteThatIsSentAgainIsTheNewest(t *testing.T) {
	t.Parallel()
	s := at(25)
	full := s.Plan
	half := at(25).Plan
	half.Steps = []Step{{Weight: 25, Bake: full.Steps[1].Bake}, {Weight: 50, Bake: full.Steps[1].Bake}, {Weight: 100, Bake: full.Steps[1].Bake}}
	for _, c := range []struct {
		plan Plan
		want string
	}{
		{full, "Shifting/Progressing, writes web-2 100%"},
		{half, "Shifting/Progressing, writes web-1 50%, web-2 50%"},
		{full, "Shifting/Progressing, writes web-2 100%"},
	} {
		s.Plan = c.plan
		d := Decide(Input(s))
		if got := inWords(d); got != c.want {
			t.Fatalf("%s, want %s: %s", got, c.want, d.Note)
		}
		s.Progress = d.Progress // and the write is refused
		s.Now = s.Now.Add(time.Second)
	}
	intents := s.Progress.Intents
	if len(intents) != 2 || intents[1].Split.Of("web-2") != 100 || intents[1].Seq >= intents[0].Seq || s.Progress.Seq != intents[0].Seq {
		t.Errorf("announced are %+v, want the 50%% and then, with its old number, the 100%%", intents)
	}
}
