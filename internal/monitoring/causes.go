package monitoring

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// causes of the codes that say more than that it did not work this time.
var causes = map[codes.Code]analysis.Cause{
	codes.PermissionDenied:  analysis.CauseDenied,
	codes.Unauthenticated:   analysis.CauseDenied,
	codes.ResourceExhausted: analysis.CauseThrottled,
	codes.NotFound:          analysis.CauseInvalid,
	codes.InvalidArgument:   analysis.CauseInvalid,
}

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
	if answer.Code() == codes.DeadlineExceeded {
		detail = "no answer in time"
	}
	if cause, ok := causes[answer.Code()]; ok {
		return cause, detail
	}
	return analysis.CauseUnavailable, detail
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
