// Package configconnector stands in for Config Connector: it keeps the services of
// a simulated Cloud Run as the RunServices of a real kube-apiserver say.
//
// A [Connector] does what Config Connector does to a RunService, one stage at a
// time, and only when it is told to; between two stages a test may change either
// side. Time is the world's, nothing sleeps. The folder crd has the resource
// definitions that it works on.
//
// Rules are written from the source of Config Connector (k8s-config-connector at
// cdb85ecf1708, with the schema of google_cloud_run_v2_service in the Terraform
// provider that it vendors) and cite the file. What is simplified:
//
//   - services are updated, never created or deleted;
//   - a failed update is tried again after a minute, not after growing waits;
//   - server defaults are kept in containers by their position, except env;
//   - webhooks, finalizers and the lease on a resource are left out.
package configconnector
