package cli

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"
)

// introduced is how long the API server may take to say who the caller is, where no
// test says otherwise. It is short, so that the request itself has most of reachable.
const introduced = 10 * time.Second

// caller is who the API server takes us for. That it does not say is no reason not to
// ask for an abort.
func (a *app) caller(ctx context.Context) (string, error) {
	config, err := a.flags.ToRESTConfig()
	if err != nil {
		return "", err
	}
	client, err := authentication.NewForConfig(config)
	if err != nil {
		return "", err
	}
	brief, done := context.WithTimeout(ctx, a.introduced)
	defer done()
	review, err := client.SelfSubjectReviews().Create(brief, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if late(brief) {
		return "", fmt.Errorf("the API server has not said so within %s", a.introduced)
	}
	if err != nil {
		return "", err
	}
	return review.Status.UserInfo.Username, nil
}
