// Package wire puts wire formats in front of a simulated world: the Cloud Run
// Admin API v2 as REST, Cloud Monitoring as gRPC, and a control endpoint for
// whoever directs the play. The skins are thin; what they say comes from the
// world, which one mutex guards.
package wire
