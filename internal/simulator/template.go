package simulator

import (
	"maps"
	"reflect"
	"slices"
)

// Template is the configuration that the next revision is made from.
type Template struct {
	Revision             string            `json:"revision,omitempty"`
	Labels               map[string]string `json:"labels,omitempty"`
	Annotations          map[string]string `json:"annotations,omitempty"`
	Scaling              *RevisionScaling  `json:"scaling,omitempty"`
	VPCAccess            *VPCAccess        `json:"vpcAccess,omitempty"`
	Timeout              string            `json:"timeout,omitempty"`
	ServiceAccount       string            `json:"serviceAccount,omitempty"`
	Containers           []Container       `json:"containers,omitempty"`
	Volumes              []map[string]any  `json:"volumes,omitempty"`
	ExecutionEnvironment string            `json:"executionEnvironment,omitempty"`
	EncryptionKey        string            `json:"encryptionKey,omitempty"`
	Concurrency          int               `json:"maxInstanceRequestConcurrency,omitempty"`
	SessionAffinity      bool              `json:"sessionAffinity,omitempty"`
	HealthCheckDisabled  bool              `json:"healthCheckDisabled,omitempty"`
}

// RevisionScaling holds a revision's own instance limits.
type RevisionScaling struct {
	MinInstanceCount int `json:"minInstanceCount,omitempty"`
	MaxInstanceCount int `json:"maxInstanceCount,omitempty"`
}

// VPCAccess says how a revision leaves for the network.
type VPCAccess struct {
	Connector         string             `json:"connector,omitempty"`
	Egress            string             `json:"egress,omitempty"`
	NetworkInterfaces []NetworkInterface `json:"networkInterfaces,omitempty"`
}

// NetworkInterface is a Direct VPC attachment.
type NetworkInterface struct {
	Network    string   `json:"network,omitempty"`
	Subnetwork string   `json:"subnetwork,omitempty"`
	Tags       []string `json:"tags,omitempty"`
}

// Container is one container of a revision.
type Container struct {
	Name          string           `json:"name,omitempty"`
	Image         string           `json:"image,omitempty"`
	Command       []string         `json:"command,omitempty"`
	Args          []string         `json:"args,omitempty"`
	Env           []EnvVar         `json:"env,omitempty"`
	Resources     *Resources       `json:"resources,omitempty"`
	Ports         []ContainerPort  `json:"ports,omitempty"`
	VolumeMounts  []map[string]any `json:"volumeMounts,omitempty"`
	WorkingDir    string           `json:"workingDir,omitempty"`
	LivenessProbe *Probe           `json:"livenessProbe,omitempty"`
	StartupProbe  *Probe           `json:"startupProbe,omitempty"`
	DependsOn     []string         `json:"dependsOn,omitempty"`
}

// EnvVar is an environment variable.
type EnvVar struct {
	Name        string         `json:"name,omitempty"`
	Value       string         `json:"value,omitempty"`
	ValueSource map[string]any `json:"valueSource,omitempty"`
}

// Resources are a container's limits.
type Resources struct {
	Limits          map[string]string `json:"limits,omitempty"`
	CPUIdle         bool              `json:"cpuIdle,omitempty"`
	StartupCPUBoost bool              `json:"startupCpuBoost,omitempty"`
}

// ContainerPort is the port a container listens on.
type ContainerPort struct {
	Name          string `json:"name,omitempty"`
	ContainerPort int    `json:"containerPort,omitempty"`
}

// Probe is a startup or liveness probe.
type Probe struct {
	InitialDelaySeconds int            `json:"initialDelaySeconds,omitempty"`
	TimeoutSeconds      int            `json:"timeoutSeconds,omitempty"`
	PeriodSeconds       int            `json:"periodSeconds,omitempty"`
	FailureThreshold    int            `json:"failureThreshold,omitempty"`
	HTTPGet             map[string]any `json:"httpGet,omitempty"`
	TCPSocket           *TCPSocket     `json:"tcpSocket,omitempty"`
	GRPC                map[string]any `json:"grpc,omitempty"`
}

// TCPSocket is a probe that opens a connection.
type TCPSocket struct {
	Port int `json:"port,omitempty"`
}

// IsZero reports whether nothing of the template is set.
func (t Template) IsZero() bool { return reflect.ValueOf(t).IsZero() }

// sameConfig compares two templates but for the name of the revision.
func (t Template) sameConfig(other Template) bool {
	t.Revision, other.Revision = "", ""
	return reflect.DeepEqual(t, other)
}

func (t Template) image() string {
	if len(t.Containers) == 0 {
		return ""
	}
	return t.Containers[0].Image
}

func (t Template) clone() Template {
	t.Labels = maps.Clone(t.Labels)
	t.Annotations = maps.Clone(t.Annotations)
	t.Containers = slices.Clone(t.Containers)
	for i := range t.Containers {
		t.Containers[i].Env = slices.Clone(t.Containers[i].Env)
		t.Containers[i].Ports = slices.Clone(t.Containers[i].Ports)
		if r := t.Containers[i].Resources; r != nil {
			c := *r
			c.Limits = maps.Clone(c.Limits)
			t.Containers[i].Resources = &c
		}
	}
	if t.Scaling != nil {
		c := *t.Scaling
		t.Scaling = &c
	}
	return t
}

// withDefaults fills what the server fills, as the recordings show it.
func (t Template) withDefaults(projectNumber string) Template {
	t = t.clone()
	if t.Scaling == nil {
		t.Scaling = &RevisionScaling{}
	}
	if t.Scaling.MaxInstanceCount == 0 {
		t.Scaling.MaxInstanceCount = 100
	}
	if t.Timeout == "" {
		t.Timeout = "300s"
	}
	if t.ServiceAccount == "" {
		t.ServiceAccount = projectNumber + "-compute@developer.gserviceaccount.com"
	}
	if t.Concurrency == 0 {
		t.Concurrency = 80
	}
	for i := range t.Containers {
		t.Containers[i] = t.Containers[i].withDefaults()
	}
	return t
}

func (c Container) withDefaults() Container {
	if c.Resources == nil {
		c.Resources = &Resources{CPUIdle: true}
	}
	if c.Resources.Limits == nil {
		c.Resources.Limits = map[string]string{}
	}
	for name, limit := range map[string]string{"memory": "512Mi", "cpu": "1000m"} {
		if c.Resources.Limits[name] == "" {
			c.Resources.Limits[name] = limit
		}
	}
	if len(c.Ports) == 0 {
		c.Ports = []ContainerPort{{Name: "http1", ContainerPort: 8080}}
	}
	if c.StartupProbe == nil {
		c.StartupProbe = &Probe{
			TimeoutSeconds: 240, PeriodSeconds: 240, FailureThreshold: 1,
			TCPSocket: &TCPSocket{Port: c.Ports[0].ContainerPort},
		}
	}
	return c
}
