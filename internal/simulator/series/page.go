package series

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// cursor says where a page begins: the number of results before it, and which
// page it is, counted from 1.
type cursor struct{ offset, number int }

// planPage reads the page token. A token carries the time of the first page, so
// that later pages of an answer do not see points which appeared meanwhile.
func (p *plan) planPage(now time.Time) error {
	q := &p.query
	if q.PageSize < 0 {
		return invalidField("pageSize", strconv.Itoa(q.PageSize), "The page size must not be negative.")
	}
	if q.PageSize == 0 || q.PageSize > maxPageSize {
		q.PageSize = maxPageSize
	}
	if q.View == "" {
		q.View = Full
	}
	if q.View != Full && q.View != Headers {
		return invalidField("view", string(q.View), "The view must be FULL or HEADERS.")
	}
	p.now, p.page.number = nanosOf(now), 1
	if q.PageToken == "" {
		return nil
	}
	request, err := p.readToken()
	if err != nil || request != p.fingerprint() || p.page.offset < 0 {
		return invalidField("pageToken", q.PageToken, "The page token is not one that this request was given.")
	}
	return nil
}

// fingerprint identifies the request that a token belongs to. The size of pages
// may change from one to the next.
func (p *plan) fingerprint() uint64 {
	q := p.query
	q.PageToken, q.PageSize = "", 0
	h := fnv.New64a()
	a := q.Aggregation
	_, _ = h.Write(fmt.Appendf(nil, "%q %q %d %d %d ", q.Project, q.Filter, nanosOf(q.Start), nanosOf(q.End), a.Period))
	_, _ = h.Write(fmt.Appendf(nil, "%q %q %q %q", a.Aligner, a.Reducer, a.GroupBy, q.View))
	return h.Sum64()
}

func (p *plan) token(offset int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%x.%d.%d.%d", p.fingerprint(), p.now, offset, p.page.number+1))
}

func (p *plan) readToken() (fingerprint uint64, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(p.query.PageToken)
	if err != nil {
		return 0, fmt.Errorf("decoding page token: %w", err)
	}
	if _, err := fmt.Fscanf(strings.NewReader(string(raw)), "%x.%d.%d.%d", &fingerprint, &p.now, &p.page.offset, &p.page.number); err != nil {
		return 0, fmt.Errorf("reading page token: %w", err)
	}
	return fingerprint, nil
}

// paged cuts the page out of all results. In the FULL view a page counts points
// and may end in the middle of a series, which the next page then continues with
// the same header; in the HEADERS view it counts series.
func (p *plan) paged(strands []strand) Result {
	var result Result
	skip, room := p.page.offset, p.query.PageSize
	for _, t := range strands {
		size := p.sizeOf(t)
		if skip >= size {
			skip -= size
			continue
		}
		if room == 0 {
			result.NextPageToken = p.token(p.page.offset + p.query.PageSize)
			return result
		}
		from := skip
		to := min(size, from+room)
		skip, room = 0, room-(to-from)
		header := p.header(t)
		if p.query.View == Full {
			header.Points = t.measurements(from, to)
		}
		result.Series = append(result.Series, header)
		if to < size {
			result.NextPageToken = p.token(p.page.offset + p.query.PageSize)
			return result
		}
	}
	return result
}

func (p *plan) sizeOf(t strand) int {
	if p.query.View == Headers {
		return 1
	}
	return len(t.samples)
}
