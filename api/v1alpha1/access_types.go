package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CloudRunAccess lets the rollouts of namespaces move the traffic of services. Where
// none binds a rollout's namespace to its service, nothing is sent for that rollout,
// not even a read. Several of them add up. Whoever may write one decides what every
// namespace may reach, which is why it is cluster-scoped.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,categories=sluice
// +kubebuilder:printcolumn:name="Namespaces",type=string,JSONPath=`.spec.namespaces`
// +kubebuilder:printcolumn:name="Projects",type=string,JSONPath=`.spec.services[*].project`
// +kubebuilder:printcolumn:name="As",type=string,JSONPath=`.spec.googleServiceAccount`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type CloudRunAccess struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard metadata of every object. Its name is shown to the
	// namespaces that it binds.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says who may reach which services. Required.
	// +required
	Spec CloudRunAccessSpec `json:"spec,omitzero"`
}

// CloudRunAccessList is a list of CloudRunAccess.
//
// +kubebuilder:object:root=true
type CloudRunAccessList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []CloudRunAccess `json:"items"`
}

// CloudRunAccessSpec says who may reach which services.
//
// +kubebuilder:validation:XValidation:rule="has(self.namespaces) || has(self.namespaceLabels)",message="nobody would be bound: write namespaces, namespaceLabels or both"
// +kubebuilder:validation:XValidation:rule="!has(self.deploy) || has(self.mayDeploy) && self.mayDeploy",message="deploy says which templates mayDeploy is for: write mayDeploy: true beside it, or remove it"
type CloudRunAccessSpec struct {
	// namespaces are those that are bound, by their exact names: 1 to 100 of them,
	// or one "*" for all that there are. Absent: only those that namespaceLabels say.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.all(n, n == '*' || n.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",message="a namespace is an exact name such as shop, or \"*\" for all; for several of a kind write namespaceLabels"
	Namespaces []string `json:"namespaces,omitempty"`

	// namespaceLabels bind each namespace that has all of these labels, beside
	// those that are named: 1 to 10 of them. Whoever may label namespaces decides
	// with. Absent: only those that are named.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	NamespaceLabels []NamespaceLabel `json:"namespaceLabels,omitempty"`

	// services are what those namespaces may roll out: 1 to 100 entries, of which
	// one is enough. Required.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Services []AccessibleServices `json:"services,omitempty"`

	// networkProjects are the IDs, or numbers, of projects beside the services' own
	// whose NAT gateways may be looked at, such as the host project of a shared
	// VPC: at most 20. Absent: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=30
	// +kubebuilder:validation:XValidation:rule="self.all(p, p.matches('^([a-z][-a-z0-9]{4,28}[a-z0-9]|[0-9]{1,20})$'))",message="a network project is a project ID such as acme-net, or a project number"
	NetworkProjects []string `json:"networkProjects,omitempty"`

	// googleServiceAccount is the e-mail address of the Google service account that
	// everything for those services is called as, such as
	// rollouts@acme-prod.iam.gserviceaccount.com: what it may not do, their rollouts cannot.
	// The manager's own identity needs iam.serviceAccounts.getAccessToken on it, and no
	// other identity is tried where it has not. All that bind a namespace to a service must
	// say the same. Absent: the manager's own identity.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9][-a-z0-9]*@[a-z0-9][-a-z0-9.]*[.]gserviceaccount[.]com$')",message="googleServiceAccount is the e-mail address of a service account, such as rollouts@acme-prod.iam.gserviceaccount.com"
	GoogleServiceAccount string `json:"googleServiceAccount,omitempty"`

	// mayDeploy lets those namespaces deploy templates to those services too
	// (spec.template of a CloudRunRollout): whoever may write a rollout there then
	// decides which image runs, with which settings, secrets and service account,
	// within what deploy says and the manager's identity may act as. Default false:
	// revisions are made by somebody else, and only their traffic is shifted.
	// +optional
	MayDeploy bool `json:"mayDeploy,omitempty"`

	// deploy says which templates mayDeploy is for. Absent: any. A template is deployed
	// where one CloudRunAccess that binds namespace and service permits the whole of it,
	// so that one without deploy permits what others do not.
	// +optional
	Deploy DeployableTemplates `json:"deploy,omitzero"`

	// mayQuery lets the rollouts of those namespaces ask PromQL of their own about the
	// projects of those services, in checks of the kind query. Such a query reads every
	// metric of the project, and of those in its metrics scope, and a status shows its
	// value. Default false.
	// +optional
	// +kubebuilder:default=false
	MayQuery bool `json:"mayQuery,omitempty"`
}

// DeployableTemplates are templates by who their revisions are, and where their code is
// from.
//
// +kubebuilder:validation:MinProperties=1
type DeployableTemplates struct {
	// serviceAccounts are those that revisions may run as, 1 to 50 of them: e-mail
	// addresses, such as web@acme-prod.iam.gserviceaccount.com; "*@" and the domain of
	// a project's own accounts for all of those, such as
	// "*@acme-prod.iam.gserviceaccount.com"; or default, for templates that name none,
	// which run as the default account of the service's project. Absent: any, the
	// default account too, that the identity which deploys may act as.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self.all(a, a == 'default' || a.matches('^[a-z0-9][-a-z0-9]*@[a-z0-9][-a-z0-9.]*[.]gserviceaccount[.]com$') || a.matches('^[*]@[a-z0-9][-a-z0-9.]*[.]iam[.]gserviceaccount[.]com$'))",message="a service account is an e-mail address such as web@acme-prod.iam.gserviceaccount.com, \"*@acme-prod.iam.gserviceaccount.com\" for all of a project's own, or default for templates that name none"
	ServiceAccounts []string `json:"serviceAccounts,omitempty"`

	// imageRepositories are those that images may be from, of every container, sandbox
	// and base image, 1 to 50 of them: the whole name of an image without tag and
	// digest, such as asia-northeast1-docker.pkg.dev/acme-prod/web/graphql, or a path
	// and "/*" for everything below it, such as
	// "asia-northeast1-docker.pkg.dev/acme-prod/web/*". Code that is in no image is not
	// deployed then. Absent: any.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.all(r, r.matches('^([-a-z0-9]+[.])+[-a-z0-9]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/([*]|[a-z0-9]+([._-]+[a-z0-9]+)*)$'))",message="an image repository is the name of an image with its registry, without tag and digest, such as docker.io/library/nginx, or a path with /* at the end for everything below it"
	ImageRepositories []string `json:"imageRepositories,omitempty"`
}

// NamespaceLabel is a label that a namespace must have.
type NamespaceLabel struct {
	// name is the label's key, such as team or example.com/team: at most 317
	// characters. Required.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	Name string `json:"name,omitempty"`

	// value is what the label must be, to the letter: 1 to 63 characters. Required.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Value string `json:"value,omitempty"`
}

// AccessibleServices are services of one project.
type AccessibleServices struct {
	// project is the ID of the Google Cloud project, such as acme-prod: 6 to 30
	// lowercase letters, digits and hyphens. Required; there is no pattern for it.
	// +required
	// +kubebuilder:validation:MaxLength=30
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][-a-z0-9]{4,28}[a-z0-9]$')",message="project must be a project ID such as acme-prod: 6 to 30 lowercase letters, digits and hyphens; not a number, not a pattern"
	Project string `json:"project"`

	// locations are regions, such as asia-northeast1: 1 to 50 of them, or one "*"
	// for all. Required.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.all(l, l == '*' || l.matches('^[a-z]+(-[a-z]+)+[0-9]+$'))",message="a location is a region such as asia-northeast1, or \"*\" for all"
	Locations []string `json:"locations,omitempty"`

	// names are names of services, such as graphql-api, or how they begin, such as
	// "web-*": 1 to 100 of them, or one "*" for all. Required.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=50
	// +kubebuilder:validation:XValidation:rule="self.all(n, n == '*' || n.matches('^[a-z][-a-z0-9]*[*]?$'))",message="a name is that of a service, such as graphql-api, the beginning of names with one * at the end, such as \"web-*\", or \"*\" for all"
	Names []string `json:"names,omitempty"`
}
