package monitoring

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// projectID is what may stand in a request's resource name.
var projectID = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{0,99}$`)

// clause compares one field with one value.
type clause struct {
	field string // from this package's constants, never from outside
	value string
}

// clauses pins a series: metric and resource type, project, place and name. A
// metrics scope may hold several projects, and services of one name in several
// regions, so nothing is left open, except the gateway's name where its
// neighbours are wanted too.
func clauses(m metric, of analysis.Source) []clause {
	list := []clause{
		{"metric.type", m.name},
		{"resource.type", m.resource},
		{labelProject, of.Project},
	}
	if m.only != (clause{}) {
		list = append(list, m.only)
	}
	switch {
	case m.resource == resourceRevision:
		return append(list, clause{labelLocation, of.Location},
			clause{labelService, of.Service}, clause{labelRevision, of.Revision})
	case m.siblings:
		return append(list, clause{labelRegion, of.Location})
	}
	return append(list, clause{labelRegion, of.Location}, clause{labelGateway, of.Gateway})
}

// filter writes clauses in the API's language. A value that is empty or could
// not be a name is refused rather than sent.
func filter(list []clause) (string, error) {
	parts := make([]string, 0, len(list))
	for _, c := range list {
		if err := sendable(c.value); err != nil {
			return "", fmt.Errorf("%s: %w", c.field, err)
		}
		parts = append(parts, c.field+"="+quote(c.value))
	}
	return strings.Join(parts, " AND "), nil
}

// quote writes a string literal. Between the quotes only the quote itself and
// the backslash have a meaning of their own.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// maxValue is the length of the longest name that is sent, in bytes.
const maxValue = 200

func sendable(value string) error {
	switch {
	case value == "":
		return errors.New("empty name")
	case len(value) > maxValue:
		return errors.New("name too long")
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return errors.New("name with control characters")
	}
	return nil
}
