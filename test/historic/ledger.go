package historic

import (
	_ "embed"
	"fmt"
	"strings"
)

// Incident is something that went wrong once, or that can.
type Incident struct {
	ID     string
	Source string
	What   string
	// Absent is why it has no counterpart here; "" where it has one.
	Absent string
}

//go:embed ledger.txt
var ledger string

// Ledger lists the incidents, in the order of the file.
func Ledger() ([]Incident, error) {
	var list []Incident
	for line := range strings.Lines(ledger) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, " | ")
		if len(fields) < 3 || len(fields) > 4 {
			return nil, fmt.Errorf("ledger: %q has not three or four fields", line)
		}
		i := Incident{ID: fields[0], Source: fields[1], What: fields[2]}
		if len(fields) == 4 {
			i.Absent = fields[3]
		}
		list = append(list, i)
	}
	return list, nil
}
