package analysis

import "fmt"

// lastMinutes names the newest minutes, of which there is at least one.
func lastMinutes(n int) string {
	if n == 1 {
		return "the last minute"
	}
	return fmt.Sprintf("the last %d minutes", n)
}

// inMinutes says in how many of the newest minutes something was so.
func inMinutes(count int64, of int) string {
	switch {
	case of > 1:
		return fmt.Sprintf("in %d of %s", count, lastMinutes(of))
	case count > 0:
		return "in " + lastMinutes(of)
	}
	return "in no minute so far"
}

// among says of how many minutes some are; where there is one alone it says nothing.
func among(some string, of int) string {
	if of == 1 {
		return ""
	}
	return fmt.Sprintf("%s of %d minutes", some, of)
}
