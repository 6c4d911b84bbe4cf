// Package version says which release a binary is of.
package version

import "runtime/debug"

// released is what hack/image and the Makefile have the linker write here, such as v1.2.3.
// A release is built without what the repository says of itself, so that it is the same
// wherever it is built.
var released string

// String is the release; of a binary that is none, the module's version or the commit
// that it was built from, or "devel".
func String() string {
	if released != "" {
		return released
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
