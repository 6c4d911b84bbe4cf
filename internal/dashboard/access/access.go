// Package access lets those see a page whom the cluster knows, and of the rollouts
// those that they may list with kubectl. It asks kube-apiserver who brings a bearer
// token and what that one may, and remembers the answers for a moment.
package access

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
)

const (
	// remembered is how long an answer of kube-apiserver holds: as long may somebody
	// whose rights were taken away go on reading.
	remembered = time.Minute
	// reviewTimeout bounds one question.
	reviewTimeout = 10 * time.Second
)

// Cluster knows those whom a cluster knows.
type Cluster struct {
	who authenticator.Request
	may authorizer.Authorizer
}

var _ dashboard.Access = (*Cluster)(nil)

// New asks the kube-apiserver that a configuration leads to.
func New(config *rest.Config) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // a page of many namespaces asks of each once, and kube-apiserver says when that is too much
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to ask who may see the page: %w", err)
	}
	backoff := &wait.Backoff{Duration: 500 * time.Millisecond, Factor: 1.5, Jitter: 0.2, Steps: 3}
	who, _, err := authenticatorfactory.DelegatingAuthenticatorConfig{
		Anonymous:               &apiserver.AnonymousAuthConfig{Enabled: false},
		CacheTTL:                remembered,
		TokenAccessReviewClient: client.AuthenticationV1(), TokenAccessReviewTimeout: reviewTimeout,
		WebhookRetryBackoff: backoff,
	}.New()
	if err != nil {
		return nil, fmt.Errorf("setting up who may see the page: %w", err)
	}
	may, err := authorizerfactory.DelegatingAuthorizerConfig{
		SubjectAccessReviewClient: client.AuthorizationV1(),
		AllowCacheTTL:             remembered, DenyCacheTTL: remembered, WebhookRetryBackoff: backoff,
	}.New()
	if err != nil {
		return nil, fmt.Errorf("setting up what may be seen on the page: %w", err)
	}
	return &Cluster{who: who, may: may}, nil
}

// Viewer is who brings the bearer token of a request.
func (c *Cluster) Viewer(r *http.Request) (dashboard.Viewer, error) {
	found, known, err := c.who.AuthenticateRequest(r)
	if err != nil || !known {
		return nil, dashboard.ErrUnknown // why a token is refused is not for whoever brings it
	}
	return viewer{found.User, c.may}, nil
}

// viewer is somebody whom the cluster knows.
type viewer struct {
	user user.Info
	may  authorizer.Authorizer
}

// Sees tells whether somebody may list rollouts in a namespace, or in all.
func (v viewer) Sees(ctx context.Context, namespace string) (bool, error) {
	decision, _, err := v.may.Authorize(ctx, authorizer.AttributesRecord{
		User: v.user, Verb: "list", Namespace: namespace, ResourceRequest: true,
		APIGroup: v1alpha1.GroupVersion.Group, APIVersion: v1alpha1.GroupVersion.Version, Resource: "cloudrunrollouts",
	})
	if err != nil {
		return false, fmt.Errorf("asking whether %s may list rollouts in %s: %w", v.user.GetName(), namespace, err)
	}
	return decision == authorizer.DecisionAllow, nil
}
