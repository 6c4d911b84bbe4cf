package monitoring

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/google"
)

// bearer sends each call with a token of an identity. It implements
// credentials.PerRPCCredentials.
type bearer struct {
	tokens google.Tokens
	secure bool // nothing may be sent but over TLS
}

// GetRequestMetadata gives the token. Without one the call fails, and is not sent.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := b.tokens.Token()
	if err != nil {
		return nil, unidentified(err)
	}
	return map[string]string{"authorization": token.Type() + " " + token.AccessToken}, nil
}

// RequireTransportSecurity tells gRPC where a token may go.
func (b bearer) RequireTransportSecurity() bool { return b.secure }

// unidentified is the failure of a call that has no token, like those of other calls.
func unidentified(err error) error {
	code := codes.Unavailable
	if errors.Is(err, google.ErrDenied) {
		code = codes.PermissionDenied
	}
	text := err.Error()
	if nobody, ok := errors.AsType[*google.IdentityError](err); ok {
		text = nobody.Detail
	}
	return status.Error(code, google.Clean(text))
}
