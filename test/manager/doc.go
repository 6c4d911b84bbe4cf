// Package manager runs the manager's binary for tests: it compiles it, starts,
// stops and kills its processes, and stands between them and what they speak to.
package manager
