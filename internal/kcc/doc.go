// Package kcc moves the traffic of Cloud Run services that Config Connector keeps:
// it writes spec.traffic of their RunService, and Config Connector carries it out.
//
// A [Target] is one RunService for one pass. It reads the RunService and, live, the
// service itself, and shows both as one service to the core: what is asked for is
// what spec says while Config Connector has not carried it out, and what Cloud Run
// says after that. It writes spec.traffic alone, by server-side apply with a field
// manager of its own, on the version that was read. Where Config Connector is late
// with a write, the same value may be set on the service directly, after spec and
// never before it.
//
// What Config Connector does is taken from its source (k8s-config-connector at
// cdb85ecf1708); each rule names the file.
package kcc
