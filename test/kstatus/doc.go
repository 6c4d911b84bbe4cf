// Package kstatus checks that tools which wait for resources read ours as we
// mean them: those that follow kstatus, Flux with expressions of its user's, and Argo
// CD with a script. It is a module of its own: nobody who imports Sluice should inherit
// kstatus, CEL and Lua, which only these tests need.
package kstatus
