package configconnector

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The settings of Config Connector: one object for the cluster, and one for each
// namespace that has its own.
var (
	Clusters = schema.GroupVersionResource{Group: "core.cnrm.cloud.google.com", Version: "v1beta1", Resource: "configconnectors"}
	Contexts = schema.GroupVersionResource{Group: "core.cnrm.cloud.google.com", Version: "v1beta1", Resource: "configconnectorcontexts"}
)

// The only names that the settings may have.
const (
	ClusterName = "configconnector.core.cnrm.cloud.google.com"
	ContextName = "configconnectorcontext.core.cnrm.cloud.google.com"
)

// PausedAnnotation pauses one object, or keeps one going while all are paused.
const PausedAnnotation = "cnrm.cloud.google.com/actuation-mode"

// paused tells whether nothing is done for an object, not even to its status. Its own
// annotation wins, then its namespace where Config Connector runs in namespaced
// mode, then the cluster (resourceactuation.go, DecideActuationMode).
func (c *Connector) paused(ctx context.Context, o *unstructured.Unstructured) (bool, error) {
	if mode := o.GetAnnotations()[PausedAnnotation]; mode == "Paused" || mode == "Reconciling" {
		return mode == "Paused", nil
	}
	cluster, err := c.settings(ctx, Clusters, "", ClusterName)
	if err != nil {
		return false, err
	}
	own, err := c.settings(ctx, Contexts, o.GetNamespace(), ContextName)
	if err != nil {
		return false, err
	}
	if own["actuationMode"] != nil && cluster["mode"] == "namespaced" {
		return own["actuationMode"] == "Paused", nil
	}
	return cluster["actuationMode"] == "Paused", nil
}

// merges tells whether live state is written into spec: by the object's annotation,
// its namespace or the cluster, else not (pkg/stateintospec/stateintospecdefaulter.go).
func (c *Connector) merges(ctx context.Context, o *unstructured.Unstructured) (bool, error) {
	if mode, ok := o.GetAnnotations()[StateIntoSpecAnnotation]; ok {
		return mode == "merge", nil
	}
	own, err := c.settings(ctx, Contexts, o.GetNamespace(), ContextName)
	if err != nil {
		return false, err
	}
	if mode := own["stateIntoSpec"]; mode != nil {
		return mode == "Merge", nil
	}
	cluster, err := c.settings(ctx, Clusters, "", ClusterName)
	return cluster["stateIntoSpec"] == "Merge", err
}

// settings are the spec of an object with settings; empty where there is none.
func (c *Connector) settings(ctx context.Context, of schema.GroupVersionResource, namespace, name string) (map[string]any, error) {
	object, err := c.client.Resource(of).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	spec, _ := object.Object["spec"].(map[string]any)
	return spec, nil
}
