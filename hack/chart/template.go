package main

import (
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// home is the namespace of config/default; Helm installs into the release's own.
const home = "sluice-system"

// edit replaces a text that must occur exactly once.
type edit struct{ from, to string }

// template makes an object a template of the chart.
func (c chart) template(o object) (string, error) {
	text := strings.ReplaceAll(o.text, "{{", `{{ "{{" }}`)
	edits, err := c.editsOf(o)
	if err != nil {
		return "", err
	}
	for _, e := range edits {
		if n := strings.Count(text, e.from); n != 1 {
			return "", fmt.Errorf("%q occurs %d times, want once", e.from, n)
		}
		text = strings.Replace(text, e.from, e.to, 1)
	}
	for _, before := range []string{"namespace: ", "system:serviceaccount:"} {
		text = strings.ReplaceAll(text, before+home, before+"{{ .Release.Namespace }}")
	}
	if strings.Contains(text, home) {
		return "", fmt.Errorf("it names %s in a way that is not known here", home)
	}
	return text, nil
}

// editsOf are what an object takes from the values, and what Helm must know of it.
func (c chart) editsOf(o object) ([]edit, error) {
	switch o.kind {
	case "Deployment":
		return c.deploymentEdits(o.text)
	case "ServiceAccount":
		return []edit{{"metadata:\n", `metadata:
  {{- with .Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
`}}, nil
	case "CustomResourceDefinition":
		// With the definition all rollouts would go.
		return []edit{{"  annotations:\n", "  annotations:\n    helm.sh/resource-policy: keep\n"}}, nil
	}
	return nil, nil
}

func (c chart) deploymentEdits(text string) ([]edit, error) {
	m, err := managerOf(text)
	if err != nil {
		return nil, err
	}
	resources, err := block(8, "resources", m.resources)
	if err != nil {
		return nil, err
	}
	args, err := block(8, "args", m.args)
	if err != nil {
		return nil, err
	}
	ports, err := block(8, "ports", m.ports)
	if err != nil {
		return nil, err
	}
	more, err := c.more()
	if err != nil {
		return nil, err
	}
	const spread = "      topologySpreadConstraints:\n"
	return []edit{
		{fmt.Sprintf("  replicas: %d\n", m.replicas), "  replicas: {{ .Values.replicas }}\n"},
		{fmt.Sprintf("        image: %s\n", m.image), "        image: {{ .Values.image | quote }}\n"},
		{resources, "resources:\n          {{- toYaml .Values.resources | nindent 10 }}\n" + c.anyOf("        ", "volumeMounts", more.mounts)},
		{ports, ports + more.ports},
		{args, args + more.args + "        {{- with .Values.extraArgs }}\n        {{- toYaml . | nindent 8 }}\n        {{- end }}\n"},
		{spread, c.anyOf("      ", "volumes", more.volumes) + spread},
	}, nil
}

// added are lists of fields of the manager, each part's entries only where it is on.
type added struct{ args, ports, mounts, volumes string }

// more is what parts give the manager.
func (c chart) more() (added, error) {
	var a added
	for _, p := range c.parts {
		for _, list := range []struct {
			into    *string
			indent  int
			field   string
			entries any
			some    bool
		}{
			{&a.args, 8, "args", p.manager.args, len(p.manager.args) > 0},
			{&a.ports, 8, "ports", p.manager.ports, len(p.manager.ports) > 0},
			{&a.mounts, 8, "volumeMounts", p.manager.mounts, len(p.manager.mounts) > 0},
			{&a.volumes, 6, "volumes", p.manager.volumes, len(p.manager.volumes) > 0},
		} {
			if !list.some {
				continue
			}
			text, err := block(list.indent, list.field, list.entries)
			if err != nil {
				return added{}, err
			}
			before := strings.Repeat(" ", list.indent)
			*list.into += before + p.when(strings.TrimPrefix(text, list.field+":\n")+before)
		}
	}
	return a, nil
}

// anyOf writes a field whose entries are all of parts, where one of these is on: an
// empty list is not what kustomize renders.
func (c chart) anyOf(before, field, entries string) string {
	var values []string
	for _, p := range c.parts {
		if len(p.manager.volumes) > 0 {
			values = append(values, ".Values."+p.value)
		}
	}
	if entries == "" {
		return ""
	}
	return fmt.Sprintf("%[1]s{{- if or %[2]s }}\n%[1]s%[3]s:\n%[4]s%[1]s{{- end }}\n", before, strings.Join(values, " "), field, entries)
}

// block writes a field as kustomize does where it is indented so, but for what stands
// before its name: of the first field of a container that is a dash.
func block(indent int, field string, value any) (string, error) {
	text, err := yaml.Marshal(map[string]any{field: value})
	if err != nil {
		return "", err
	}
	var indented strings.Builder
	for line := range strings.Lines(string(text)) {
		indented.WriteString(strings.Repeat(" ", indent) + line)
	}
	return strings.TrimLeft(indented.String(), " "), nil
}

// values writes values.yaml: what the templates take, as config/default has it.
func values(m manager) (string, error) {
	resources, err := yaml.Marshal(map[string]any{"resources": m.resources})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(valuesText, m.image, m.replicas, resources), nil
}

const valuesText = `# Written by make manifests, from config/default.

# The manager's image, best with its digest. make image builds this one; the chart
# of a release names that of the release.
image: %s

# One of them acts, the others stand by.
replicas: %d

%s
serviceAccount:
  # On GKE, the Google service account that the manager acts as:
  # iam.gke.io/gcp-service-account: sluice@PROJECT.iam.gserviceaccount.com
  annotations: {}

# More flags of the manager, such as --cloud-run-reads-per-minute=600.
extraArgs: []

# The rights that rollouts of Config Connector's RunServices need
# (docs/config-connector.md).
configConnector:
  enabled: false

# The page in the cluster (docs/dashboard.md).
dashboard:
  enabled: false
  # The Secret of type kubernetes.io/tls, in the namespace of the release, that has a
  # certificate for it; without one the manager makes one for itself.
  certificateSecret: ""

# Whom the manager may reach, and who may reach it, where NetworkPolicy is enforced
# (docs/security.md).
networkPolicy:
  enabled: false

# The Secret, in the namespace of the release, that says where news of rollouts go to:
# with the file notifications.yaml, and the addresses and keys that it names
# (docs/notifications.md).
notifications:
  secret: ""
`
