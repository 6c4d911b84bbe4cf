package monitoring

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
)

// causes of the codes that say more than that it did not work this time.
var causes = map[codes.Code]analysis.Cause{
	codes.PermissionDenied:  analysis.CauseDenied,
	codes.Unauthenticated:   analysis.CauseDenied,
	codes.ResourceExhausted: analysis.CauseThrottled,
	codes.NotFound:          analysis.CauseInvalid,
	codes.InvalidArgument:   analysis.CauseInvalid,
}

// inTime is said of a call that was given up.
const inTime = "no answer in time"

// causeOf says why a call failed, and in the API's words where it has any.
func causeOf(err error) (analysis.Cause, string) {
	if errors.Is(err, context.DeadlineExceeded) {
		return analysis.CauseUnavailable, inTime
	}
	answer, ok := status.FromError(unwrapped(err))
	if !ok {
		return analysis.CauseUnavailable, google.Clean(err.Error())
	}
	detail := google.Clean(answer.Message())
	if answer.Code() == codes.DeadlineExceeded {
		detail = inTime
	}
	if cause, ok := causes[answer.Code()]; ok {
		return cause, detail
	}
	return analysis.CauseUnavailable, detail
}

// codeOf is the gRPC code of an outcome.
func codeOf(err error) codes.Code {
	if err == nil {
		return codes.OK
	}
	if answer, ok := status.FromError(unwrapped(err)); ok {
		return answer.Code()
	}
	return status.FromContextError(err).Code()
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
