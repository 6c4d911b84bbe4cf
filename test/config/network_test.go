package config

import (
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// policy is the one of config/network-policy, as kube-apiserver takes it.
func policy(t *testing.T) *networkingv1.NetworkPolicy {
	t.Helper()
	objects, err := render("../../config/network-policy")
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 1 || objects[0].GetNamespace() != home {
		t.Fatalf("rendered %v", objects)
	}
	made, err := admin(t).NetworkingV1().NetworkPolicies(home).Create(t.Context(), convert[networkingv1.NetworkPolicy](t, &objects[0]),
		metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestThePolicyIsForTheManagerInBothDirections(t *testing.T) {
	spec := policy(t).Spec
	if !selects(t, &spec.PodSelector, pod(t).Labels) || selects(t, &spec.PodSelector, map[string]string{"app.kubernetes.io/name": "sluice"}) {
		t.Errorf("it selects %v, the pod has %v", spec.PodSelector, pod(t).Labels)
	}
	if !slices.Equal(spec.PolicyTypes, []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}) {
		t.Errorf("it is for %v", spec.PolicyTypes)
	}
}

func TestTheManagerReachesWhatItNeedsAndNoMore(t *testing.T) {
	rules := policy(t).Spec.Egress
	for _, c := range []struct {
		what, address string
		protocol      corev1.Protocol
		port          int32
		may           bool
	}{
		{"the cluster's DNS", "10.96.0.10", corev1.ProtocolUDP, 53, true},
		{"DNS over TCP", "10.96.0.10", corev1.ProtocolTCP, 53, true},
		{"GKE's metadata server under Dataplane V2", "169.254.169.254", corev1.ProtocolTCP, 80, true},
		{"GKE's metadata server elsewhere", "169.254.169.252", corev1.ProtocolTCP, 988, true},
		{"Google's APIs", "142.250.1.95", corev1.ProtocolTCP, 443, true},
		{"Google's APIs by IPv6", "2a00:1450:4009::5f", corev1.ProtocolTCP, 443, true},
		{"Private Google Access", "199.36.153.8", corev1.ProtocolTCP, 443, true},
		{"kube-apiserver on GKE", "172.16.0.2", corev1.ProtocolTCP, 443, true},
		{"kube-apiserver elsewhere", "172.18.0.2", corev1.ProtocolTCP, 6443, true},

		{"another port of the metadata server", "169.254.169.254", corev1.ProtocolTCP, 443, false},
		{"the metadata server of the node", "169.254.169.252", corev1.ProtocolTCP, 80, false},
		{"a link-local address by IPv6", "fe80::1", corev1.ProtocolTCP, 443, false},
		{"a database", "10.4.0.9", corev1.ProtocolTCP, 5432, false},
		{"the web without TLS", "93.184.215.14", corev1.ProtocolTCP, 80, false},
		{"QUIC", "142.250.1.95", corev1.ProtocolUDP, 443, false},
		{"the kubelet", "10.128.0.3", corev1.ProtocolTCP, 10250, false},
		{"etcd", "10.128.0.2", corev1.ProtocolTCP, 2379, false},
	} {
		may := slices.ContainsFunc(rules, func(r networkingv1.NetworkPolicyEgressRule) bool {
			return opens(r.Ports, c.protocol, c.port) && (len(r.To) == 0 || slices.ContainsFunc(r.To, func(to networkingv1.NetworkPolicyPeer) bool {
				return within(t, to.IPBlock, c.address)
			}))
		})
		if may != c.may {
			t.Errorf("%s at %s, %s port %d: %t, want %t", c.what, c.address, c.protocol, c.port, may, c.may)
		}
	}
}

func TestOnlyNamespacesThatAreLabelledReachTheManager(t *testing.T) {
	rules := policy(t).Spec.Ingress
	scrapes := map[string]string{"rollouts.sluice.dev/scrapes": "true"}
	shows := map[string]string{"rollouts.sluice.dev/shows": "true"}
	for _, c := range []struct {
		what string
		from map[string]string
		port int32
		may  bool
	}{
		{"metrics for Prometheus", scrapes, 8443, true},
		{"the page for its proxy", shows, 8444, true},
		{"the page for Prometheus", scrapes, 8444, false},
		{"metrics for the page's proxy", shows, 8443, false},
		{"the probes for Prometheus", scrapes, 8081, false},
		{"metrics for anybody", map[string]string{"kubernetes.io/metadata.name": "shop"}, 8443, false},
		{"metrics for the manager's own namespace", map[string]string{"kubernetes.io/metadata.name": home}, 8443, false},
	} {
		may := slices.ContainsFunc(rules, func(r networkingv1.NetworkPolicyIngressRule) bool {
			return opens(r.Ports, corev1.ProtocolTCP, c.port) && (len(r.From) == 0 || slices.ContainsFunc(r.From, func(from networkingv1.NetworkPolicyPeer) bool {
				return from.PodSelector == nil && from.IPBlock == nil && selects(t, from.NamespaceSelector, c.from)
			}))
		})
		if may != c.may {
			t.Errorf("%s: %t, want %t", c.what, may, c.may)
		}
	}
}

// opens tells whether ports of a rule include one; all do where none is written.
func opens(ports []networkingv1.NetworkPolicyPort, protocol corev1.Protocol, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		return *p.Protocol == protocol && (p.Port == nil || p.Port.IntVal == port)
	})
}

// within tells whether an address is one of a block.
func within(t *testing.T, block *networkingv1.IPBlock, address string) bool {
	t.Helper()
	at := netip.MustParseAddr(address)
	contains := func(cidr string) bool { return netip.MustParsePrefix(cidr).Contains(at) }
	return block != nil && contains(block.CIDR) && !slices.ContainsFunc(block.Except, contains)
}

func selects(t *testing.T, selector *metav1.LabelSelector, of map[string]string) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(labels.Set(of))
}
