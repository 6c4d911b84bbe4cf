package cli

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"
)

// caller is who the API server takes us for; "" where it does not say, which is no
// reason not to ask for an abort.
func (a *app) caller(ctx context.Context) string {
	config, err := a.flags.ToRESTConfig()
	if err != nil {
		return ""
	}
	client, err := authentication.NewForConfig(config)
	if err != nil {
		return ""
	}
	review, err := client.SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return ""
	}
	return review.Status.UserInfo.Username
}
