package cloudrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/api/googleapi"
	run "google.golang.org/api/run/v2"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// SetTraffic sends one compare-and-swap of a service's traffic, and returns as
// soon as Cloud Run accepted it. Whether it took effect is for the next read.
//
// ErrConflict says that the service changed since it was read, and nothing was
// written. ErrInterleaved says that it was written, but that somebody else wrote
// in between. ErrAmbiguous says that the answer was lost: it may have been
// written now, never, or yet to come. It is never sent a second time.
func (c *Client) SetTraffic(ctx context.Context, ref rollout.ServiceRef, w rollout.Write) error {
	return c.swap(ctx, ref, w)
}

// SetTrafficOn is SetTraffic for a service that somebody else keeps as its own
// description says, where the version that a write rests on is more than the
// service's: etag is the service's part of it, as it was just read. It carries no
// claim, since whoever keeps the service keeps its annotations too.
func (c *Client) SetTrafficOn(ctx context.Context, ref rollout.ServiceRef, w rollout.Write, etag string) error {
	return c.swap(ctx, ref, unclaimed{w, etag})
}

// unclaimed is a write on a version of its own, without a claim.
type unclaimed struct {
	write

	etag string
}

func (u unclaimed) ETag() string { return u.etag }

func (u unclaimed) Claim() (claim *rollout.Claim, beside map[string]string) { return nil, nil }

// write is what a rollout.Write says.
type write interface {
	ETag() string
	Generation() int64
	Targets() []rollout.Entry
	Claim() (claim *rollout.Claim, beside map[string]string)
}

func (c *Client) swap(ctx context.Context, ref rollout.ServiceRef, w write) error {
	op := fmt.Sprintf("setting traffic of service %q", google.Clean(ref.Name))
	name, err := serviceName(ref)
	if err != nil {
		return &CallError{Op: op, Kind: ErrInvalid, Detail: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	ctx, sent := metered(ctx)

	body := &run.GoogleCloudRunV2Service{Etag: w.ETag(), Traffic: targets(w.Targets())}
	mask := "traffic"
	if claim, beside := w.Claim(); claim != nil {
		body.Annotations, mask = claimed(*claim, beside), "traffic,annotations"
	}
	answer, err := c.api.Projects.Locations.Services.Patch(name, body).UpdateMask(mask).Context(ctx).Do()
	if err != nil {
		return writeError(op, err, sent)
	}
	return secondFence(op, w.Generation(), answer)
}

// targets writes entries in full: an explicit percent even when it is 0, so that
// the bytes sent can be read without knowing the default.
func targets(entries []rollout.Entry) []*run.GoogleCloudRunV2TrafficTarget {
	list := make([]*run.GoogleCloudRunV2TrafficTarget, 0, len(entries))
	for _, e := range entries {
		target := &run.GoogleCloudRunV2TrafficTarget{
			Type: toRevision, Revision: e.Revision, Percent: e.Percent, Tag: e.Tag,
			ForceSendFields: []string{"Percent"},
		}
		if e.Latest {
			target.Type, target.Revision = toLatest, ""
		}
		list = append(list, target)
	}
	return list
}

// secondFence compares the generation that the write made with the one it was
// decided on. The answer to a PATCH is an operation whose metadata is the
// service as it was written.
func secondFence(op string, base int64, answer *run.GoogleLongrunningOperation) error {
	if answer == nil {
		return &CallError{Op: op, Kind: ErrAmbiguous, Detail: "answer is empty"}
	}
	generation, err := generationOf(answer.Metadata)
	switch {
	case err != nil:
		return &CallError{Op: op, Kind: ErrAmbiguous, Detail: google.Clean(err.Error())}
	case generation != base+1:
		return &CallError{Op: op, Kind: ErrInterleaved, Detail: fmt.Sprintf("generation %d followed %d", generation, base)}
	case answer.Error != nil:
		return &CallError{Op: op, Kind: ErrAmbiguous, Detail: google.Clean(answer.Error.Message)}
	}
	return nil
}

func generationOf(metadata googleapi.RawMessage) (int64, error) {
	var service struct {
		Generation int64 `json:"generation,string"`
	}
	if err := json.Unmarshal(metadata, &service); err != nil {
		return 0, fmt.Errorf("reading the generation of the answer: %w", err)
	}
	if service.Generation <= 0 {
		return 0, errors.New("answer without a generation")
	}
	return service.Generation, nil
}
