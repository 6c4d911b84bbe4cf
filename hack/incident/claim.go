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
}

// verdict sums up claims.
type verdict struct{ kept, broken int }

// tellClaims writes claims with what was found, one a line.
func tellClaims(out io.Writer, claims []claim) verdict {
	var v verdict
	for _, c := range claims {
		word := "kept"
		if c.holds {
			v.kept++
		} else {
			word = "BROKEN"
			v.broken++
		}
		_, _ = fmt.Fprintf(out, "  %s: %s: %s\n", word, c.text, c.found)
	}
	return v
}

func (v verdict) plus(o verdict) verdict {
	return verdict{v.kept + o.kept, v.broken + o.broken}
}
