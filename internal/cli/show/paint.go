package show

import "github.com/sluice-rollouts/sluice/internal/cli/standing"

// mark is how a standing is drawn at the beginning of a line.
type mark struct {
	sign   string
	words  string // what the sign says, where there is room
	colour string // of ECMA-48, Select Graphic Rendition
}

var marks = map[standing.Standing]mark{
	standing.Stuck:       {"!", "stuck", "31"},
	standing.NeedsPerson: {"!", "waits for you", "33"},
	standing.Failing:     {"!", "held by a check", "31"},
	standing.GoingBack:   {"<", "going back", "31"},
	standing.Waiting:     {"~", "waits for the world", "33"},
	standing.Moving:      {">", "under way", "36"},
	standing.NotSeen:     {"?", "not seen yet", "33"},
	standing.RolledBack:  {"x", "rolled back", "31"},
	standing.Settled:     {" ", "settled", ""},
}

// painted colours a text, if colours are wanted.
func (s Screen) painted(colour, text string) string {
	if !s.Paint || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
