package show

import "github.com/sluice-rollouts/sluice/internal/view"

// colours are those of ECMA-48, Select Graphic Rendition.
var colours = map[view.Tone]string{view.Busy: "36", view.Wary: "33", view.Alarm: "31"}

// painted colours a text, if colours are wanted.
func (s Screen) painted(tone view.Tone, text string) string {
	colour := colours[tone]
	if !s.Paint || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
