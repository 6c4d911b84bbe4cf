package historic

import (
	"slices"
	"strings"
)

// Controls lists the detectors that bugs name, each with its arguments once: what
// must report nothing in the product as it is.
func Controls(bugs []Bug) []Detector {
	var list []Detector
	for _, b := range bugs {
		if !slices.ContainsFunc(list, func(d Detector) bool { return d.String() == b.Detector.String() }) {
			list = append(list, b.Detector)
		}
	}
	slices.SortFunc(list, func(a, b Detector) int { return strings.Compare(a.String(), b.String()) })
	return list
}
