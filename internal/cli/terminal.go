package cli

import (
	"os"

	"golang.org/x/term"
)

// For is an environment whose output goes to a file, which may be a terminal.
func (e Env) For(out *os.File) Env {
	e.Out = out
	descriptor := int(out.Fd())
	if !term.IsTerminal(descriptor) {
		return e
	}
	width, _, err := term.GetSize(descriptor)
	if err != nil {
		width = 0
	}
	return e.OnTerminal(width)
}

// OnTerminal writes for a terminal of so many columns, with colours unless NO_COLOR
// (no-color.org) or a terminal that knows none is in the way.
func (e Env) OnTerminal(width int) Env {
	e.Terminal, e.Width = true, width
	e.Paint = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return e
}
