// Package contract holds the adapters and the world to each other: the real
// clients of Cloud Run and Cloud Monitoring against the simulator, over loopback.
package contract
