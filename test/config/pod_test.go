package config

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

func convert[T any](t *testing.T, o *unstructured.Unstructured) *T {
	t.Helper()
	into := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, into, true); err != nil {
		t.Fatal(err)
	}
	return into
}

// pod is what the Deployment's controller would make, if one ran here.
func pod(t *testing.T) *corev1.Pod {
	t.Helper()
	template := find[appsv1.Deployment](t, "Deployment", "sluice-manager").Spec.Template
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "sluice-manager-", Namespace: home, Labels: template.Labels},
		Spec:       template.Spec,
	}
}

func admit(t *testing.T, p *corev1.Pod) error {
	t.Helper()
	client, err := kubernetes.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().Pods(p.Namespace).Create(t.Context(), p, metav1.CreateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

func TestThePodIsAdmittedUnderRestricted(t *testing.T) {
	if level := find[corev1.Namespace](t, "Namespace", home).Labels["pod-security.kubernetes.io/enforce"]; level != "restricted" {
		t.Fatalf("the namespace enforces %q", level)
	}
	if err := admit(t, pod(t)); err != nil {
		t.Error(err)
	}
}

func TestALaxerPodIsRefused(t *testing.T) {
	yes, no := true, false
	root := int64(0)
	for name, loosen := range map[string]func(*corev1.PodSpec){
		"privileged": func(p *corev1.PodSpec) {
			p.Containers[0].SecurityContext.Privileged = &yes
			p.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil
		},
		"allowPrivilegeEscalation": func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil },
		"capabilities":             func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.Capabilities = nil },
		"seccompProfile":           func(p *corev1.PodSpec) { p.SecurityContext.SeccompProfile = nil },
		"runAsNonRoot":             func(p *corev1.PodSpec) { p.SecurityContext.RunAsNonRoot = &no },
		"runAsUser":                func(p *corev1.PodSpec) { p.SecurityContext.RunAsUser = &root },
		"hostNetwork":              func(p *corev1.PodSpec) { p.HostNetwork = true },
	} {
		p := pod(t)
		loosen(&p.Spec)
		if err := admit(t, p); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What Pod Security does not ask for.
func TestThePodCanWriteNowhere(t *testing.T) {
	p := pod(t).Spec
	if len(p.Containers) != 1 || len(p.InitContainers) != 0 {
		t.Fatalf("%d containers and %d before them", len(p.Containers), len(p.InitContainers))
	}
	c := p.Containers[0]
	if only := c.SecurityContext.ReadOnlyRootFilesystem; only == nil || !*only {
		t.Error("its root file system can be written")
	}
	if len(p.Volumes) != 0 || len(c.Env) != 0 || len(c.EnvFrom) != 0 {
		t.Errorf("it mounts %v and reads %v %v", p.Volumes, c.Env, c.EnvFrom)
	}
	if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
		t.Error("its resources are not bounded")
	}
	if p.HostNetwork || p.HostPID || p.HostIPC || p.ServiceAccountName != account {
		t.Errorf("it runs as %q, beside the host: %v %v %v", p.ServiceAccountName, p.HostNetwork, p.HostPID, p.HostIPC)
	}
}

func TestPortsAreTheOnesOfTheFlags(t *testing.T) {
	c := pod(t).Spec.Containers[0]
	ports := map[string]int32{}
	for _, port := range c.Ports {
		ports[port.Name] = port.ContainerPort
	}
	args := strings.Join(c.Args, " ")
	if args != "--metrics-bind-address=:8443 --health-probe-bind-address=:8081" || ports["metrics"] != 8443 || ports["probes"] != 8081 {
		t.Errorf("flags %s, ports %v", args, ports)
	}
	for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe} {
		if probe == nil || probe.HTTPGet.Port != intstr.FromString("probes") {
			t.Errorf("a probe asks %+v", probe)
		}
	}
	service := find[corev1.Service](t, "Service", "sluice-metrics")
	labels := pod(t).Labels
	for key, value := range service.Spec.Selector {
		if labels[key] != value {
			t.Errorf("the service selects %s=%s, the pod has %q", key, value, labels[key])
		}
	}
}
