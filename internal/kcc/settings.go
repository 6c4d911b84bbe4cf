package kcc

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Settings are what Config Connector is told beside the RunService.
type Settings struct {
	// PausedBy names what pauses it; "" where nothing is seen to.
	PausedBy string
	// Merges tells whether it writes live state into spec.
	Merges bool
	// Unread is why they are not known; "" when they are.
	Unread string
}

// setting is the spec of one of Config Connector's own objects; nil for none.
type setting map[string]any

func (s setting) text(key string) string {
	text, _ := s[key].(string)
	return text
}

// settingTimeout limits each read of a setting. They explain, and keep a rollout from
// beginning; a way back must not wait for them.
const settingTimeout = 5 * time.Second

// settings reads what Config Connector is told of a RunService. Not knowing is an
// answer: an installation may have no such objects, and keep them from us.
func (t *Target) settings(ctx context.Context, r RunService) Settings {
	cluster, err := t.setting(ctx, clusters, "", clusterName)
	own, ownErr := t.setting(ctx, contexts, r.Namespace, contextName)
	s := decided(r.annotations, cluster, own)
	for _, err := range []error{err, ownErr} {
		if err != nil {
			s.Unread = readError("reading the settings of Config Connector", err).Error()
		}
	}
	return s
}

func (t *Target) setting(ctx context.Context, of schema.GroupVersionResource, namespace, name string) (setting, error) {
	ctx, cancel := context.WithTimeout(ctx, min(t.client.timeout, settingTimeout))
	defer cancel()
	object, err := t.client.api.Resource(of).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	spec, _ := object.Object["spec"].(map[string]any)
	return spec, nil
}

// decided settles who says what. For a pause the object's own annotation wins, then
// its namespace where Config Connector runs in namespaced mode, then the cluster
// (resourceactuation.go, DecideActuationMode); for merging the annotation, the
// namespace, the cluster (stateintospecdefaulter.go, ApplyDefaults).
func decided(annotations map[string]string, cluster, own setting) Settings {
	var s Settings
	switch mode, inNamespace := annotations[actuationMode], own.text("actuationMode"); {
	case mode == paused:
		s.PausedBy = "its annotation " + actuationMode
	case mode == reconciling:
	case inNamespace != "" && cluster.text("mode") == namespaced:
		if inNamespace == paused {
			s.PausedBy = "the ConfigConnectorContext of its namespace"
		}
	case cluster.text("actuationMode") == paused:
		s.PausedBy = "the ConfigConnector of the cluster"
	}
	switch mode, ok := annotations[stateIntoSpec]; {
	case ok:
		s.Merges = mode == merge
	case own.text("stateIntoSpec") != "":
		s.Merges = own.text("stateIntoSpec") == "Merge"
	default:
		s.Merges = cluster.text("stateIntoSpec") == "Merge"
	}
	return s
}
