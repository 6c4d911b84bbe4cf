package monitoring

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// causeOf says why a call failed, and in the API's words where it has any.
func causeOf(err error) (analysis.Cause, string) {
	if errors.Is(err, context.DeadlineExceeded) {
		return analysis.CauseUnavailable, "no answer in time"
	}
	answer, ok := status.FromError(unwrapped(err))
	if !ok {
		return analysis.CauseUnavailable, clean(err.Error())
	}
	detail := clean(answer.Message())
	switch answer.Code() {
	case codes.PermissionDenied, codes.Unauthenticated:
		return analysis.CauseDenied, detail
	case codes.ResourceExhausted:
		return analysis.CauseThrottled, detail
	case codes.NotFound, codes.InvalidArgument:
		return analysis.CauseInvalid, detail
	case codes.DeadlineExceeded:
		return analysis.CauseUnavailable, "no answer in time"
	default:
		return analysis.CauseUnavailable, detail
	}
}

// unwrapped finds the error that carries a gRPC status, so that its message is
// the API's alone and not that of everything wrapped around it.
func unwrapped(err error) error {
	var carrier interface{ GRPCStatus() *status.Status }
	if errors.As(err, &carrier) {
		return carrier.GRPCStatus().Err()
	}
	return err
}
