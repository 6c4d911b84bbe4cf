// Package access says what the rollouts of a namespace may reach. It knows neither
// Kubernetes nor Google Cloud: from bindings, a namespace and a service to a grant or
// the reason why there is none. What nobody bound is not granted.
package access
