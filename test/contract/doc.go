// Package contract holds the adapters and the world to each other: the real
// clients of Cloud Run, Cloud Monitoring and Compute against the simulator, over
// loopback.
package contract
