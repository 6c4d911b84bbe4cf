package monitoring

import (
	"context"
	"errors"
	"strings"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// list reads all pages of a request and hands each to take. It goes through them
// itself, because the library's iterator shows only the last page's execution
// errors. Every page is a call, and comes out of the project's quota.
func (c *Client) list(
	ctx context.Context, request *monitoringpb.ListTimeSeriesRequest, w watch,
	take func(*monitoringpb.ListTimeSeriesResponse),
) trouble {
	quota := c.quotas.Of(strings.TrimPrefix(request.GetName(), projectPrefix))
	token := ""
	for range maxPages {
		if t := c.take(quota, w); t.cause != analysis.CauseNone {
			return t
		}
		response, err := c.page(ctx, request, token)
		c.counters.call(methodList, err)
		if t := settle(quota, err, w); t.cause != analysis.CauseNone {
			return t
		}
		c.counters.pages.Inc()
		c.counters.series.Add(float64(len(response.GetTimeSeries())))
		take(response)
		next := response.GetNextPageToken()
		if next == "" {
			return trouble{}
		}
		if next == token {
			break
		}
		token = next
	}
	return trouble{cause: analysis.CausePartial, detail: "pages without end"}
}

func (c *Client) page(
	ctx context.Context, request *monitoringpb.ListTimeSeriesRequest, token string,
) (*monitoringpb.ListTimeSeriesResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	pages := c.api.ListTimeSeries(ctx, request)
	if _, _, err := pages.InternalFetch(int(request.GetPageSize()), token); err != nil {
		return nil, err
	}
	response, ok := pages.Response.(*monitoringpb.ListTimeSeriesResponse)
	if !ok {
		return nil, errors.New("no response")
	}
	return response, nil
}
