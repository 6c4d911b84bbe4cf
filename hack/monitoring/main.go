// Command monitoring makes objects of Config Connector of the dashboard and the
// alert policies in config/monitoring, which are written for the API of Cloud
// Monitoring: their fields have the same names there.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

const (
	from = "config/monitoring"
	to   = "config/monitoring/config-connector"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "monitoring:", err)
		os.Exit(1)
	}
}

func run() error {
	dashboard, err := object("MonitoringDashboard", filepath.Join(from, "dashboard.json"), "sluice")
	if err != nil {
		return err
	}
	if err := write("dashboard.yaml", "dashboard.json", dashboard); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(from, "policies", "*.json"))
	if err != nil {
		return err
	}
	var policies [][]byte
	for _, file := range files {
		name := "sluice-" + strings.TrimSuffix(filepath.Base(file), ".json")
		policy, err := object("MonitoringAlertPolicy", file, name)
		if err != nil {
			return err
		}
		policies = append(policies, policy)
	}
	return write("policies.yaml", "policies", bytes.Join(policies, []byte("---\n")))
}

// object makes an object of Config Connector whose spec a file holds.
func object(kind, file, name string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var spec map[string]any
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if kind == "MonitoringDashboard" {
		spec["projectRef"] = map[string]any{"external": "projects/PROJECT"}
	}
	return yaml.Marshal(map[string]any{
		"apiVersion": "monitoring.cnrm.cloud.google.com/v1beta1", "kind": kind,
		"metadata": map[string]any{"name": name}, "spec": spec,
	})
}

func write(name, of string, text []byte) error {
	const note = "# Made of %s by make manifests.\n"
	return os.WriteFile(filepath.Join(to, name), append(fmt.Appendf(nil, note, of), text...), 0o600)
}
