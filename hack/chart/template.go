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
	resources, err := block("resources", m.resources)
	if err != nil {
		return nil, err
	}
	args, err := block("args", m.args)
	if err != nil {
		return nil, err
	}
	ports, err := block("ports", m.ports)
	if err != nil {
		return nil, err
	}
	moreArgs, morePorts, err := c.more()
	if err != nil {
		return nil, err
	}
	return []edit{
		{fmt.Sprintf("  replicas: %d\n", m.replicas), "  replicas: {{ .Values.replicas }}\n"},
		{fmt.Sprintf("        image: %s\n", m.image), "        image: {{ .Values.image | quote }}\n"},
		{resources, "resources:\n          {{- toYaml .Values.resources | nindent 10 }}\n"},
		{ports, ports + morePorts},
		{args, args + moreArgs + "        {{- with .Values.extraArgs }}\n        {{- toYaml . | nindent 8 }}\n        {{- end }}\n"},
	}, nil
}

// more are the flags and ports that parts give the manager.
func (c chart) more() (args, ports string, err error) {
	for _, p := range c.parts {
		if len(p.args) > 0 {
			text, err := block("args", p.args)
			if err != nil {
				return "", "", err
			}
			args += "        " + p.when(strings.TrimPrefix(text, "args:\n")+"        ")
		}
		if len(p.ports) > 0 {
			text, err := block("ports", p.ports)
			if err != nil {
				return "", "", err
			}
			ports += "        " + p.when(strings.TrimPrefix(text, "ports:\n")+"        ")
		}
	}
	return args, ports, nil
}

// block writes a field of a container as kustomize does, but for what stands before
// its name: of the first field that is a dash.
func block(field string, value any) (string, error) {
	text, err := yaml.Marshal(map[string]any{field: value})
	if err != nil {
		return "", err
	}
	var indented strings.Builder
	for line := range strings.Lines(string(text)) {
		indented.WriteString("        " + line)
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

# Whom the manager may reach, and who may reach it, where NetworkPolicy is enforced
# (docs/security.md).
networkPolicy:
  enabled: false
`
