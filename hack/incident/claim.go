package main

import (
	"fmt"
	"io"
)

// claim is something that is promised, with what was found.
type claim struct {
	text  string
	found string
	holds bool
	// awaits is what a claim that does not hold waits for. Only such a claim may
	// fail without failing the run; one that holds must not await anything.
	awaits string
}

// verdict sums up claims.
type verdict struct{ kept, awaited, broken int }

// tellClaims writes claims with what was found, one a line.
func tellClaims(out io.Writer, claims []claim) verdict {
	var v verdict
	for _, c := range claims {
		word := "kept"
		switch {
		case c.holds && c.awaits == "":
			v.kept++
		case c.holds:
			word = "kept, and no longer awaited: say so in the code"
			v.kept++
		case c.awaits != "":
			word = "NOT YET, waits for " + c.awaits
			v.awaited++
		default:
			word = "BROKEN"
			v.broken++
		}
		_, _ = fmt.Fprintf(out, "  %s: %s: %s\n", word, c.text, c.found)
	}
	return v
}

func (v verdict) plus(o verdict) verdict {
	return verdict{v.kept + o.kept, v.awaited + o.awaited, v.broken + o.broken}
}
