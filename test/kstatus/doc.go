// Package kstatus checks that tools which wait for resources read ours as we
// mean them. It is a module of its own: nobody who imports Sluice should inherit
// kstatus, which only this test needs.
package kstatus
