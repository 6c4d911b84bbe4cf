// Command checks looks for what the linter has no word for. make lint runs it
// from the root of the repository.
package main

import (
	"fmt"
	"os"
)

func main() {
	found, err := simulatorMentions(os.DirFS("."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "checks:", err)
		os.Exit(2)
	}
	for _, line := range found {
		fmt.Fprintln(os.Stderr, line)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}
