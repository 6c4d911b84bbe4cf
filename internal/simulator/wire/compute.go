package wire

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	computePath = "/compute/v1/"
	inRegion    = computePath + "projects/{project}/regions/{region}"
	// mostListed is the most that a page of a list has, and its default [disc compute
	// v1, maxResults].
	mostListed = 500
)

// compute is the part of the Compute API v1 that tells of Cloud NAT, over a
// guarded world.
type compute struct{ guard *Guard }

// Compute serves routers.list, aggregatedList, get and getRouterStatus, and
// subnetworks.get.
func Compute(g *Guard) http.Handler {
	c := compute{g}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+inRegion+"/routers", c.listRouters)
	mux.HandleFunc("GET "+computePath+"projects/{project}/aggregated/routers", c.listAllRouters)
	mux.HandleFunc("GET "+inRegion+"/routers/{router}", c.getRouter)
	mux.HandleFunc("GET "+inRegion+"/routers/{router}/getRouterStatus", c.getRouterStatus)
	mux.HandleFunc("GET "+inRegion+"/subnetworks/{subnetwork}", c.getSubnetwork)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuseCompute(w, r, &simulator.APIError{Code: http.StatusNotFound, Message: "Method not found."})
	})
	return dated(g, mux)
}

// call runs one API call with the world to itself and writes its outcome.
func (c compute) call(w http.ResponseWriter, r *http.Request, f func(simulator.API) (any, error)) {
	v, err := asked(c.guard, r, f)
	if err != nil {
		refuseCompute(w, r, err)
		return
	}
	answer(w, r, http.StatusOK, v)
}

// computeName is the name in the path, without a verb.
func computeName(r *http.Request) string {
	return strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, computePath), "/getRouterStatus")
}

// routersPage is the answer to a list.
type routersPage struct {
	Kind          string             `json:"kind"`
	ID            string             `json:"id"`
	Items         []simulator.Router `json:"items,omitempty"`
	NextPageToken string             `json:"nextPageToken,omitempty"`
	SelfLink      string             `json:"selfLink"`
}

func (c compute) listRouters(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) {
		page := simulator.Page{Token: r.URL.Query().Get("pageToken"), Size: mostListed}
		if size := r.URL.Query().Get("maxResults"); size != "" {
			n, err := strconv.Atoi(size)
			if err != nil || n < 0 || n > mostListed {
				return nil, badRequest("Invalid value for field 'maxResults': '%s'. Must be between 0 and %d", size, mostListed)
			}
			page.Size = n
		}
		name := computeName(r)
		routers, next, err := a.ListRouters(strings.TrimSuffix(name, "/routers"), page)
		return routersPage{"compute#routerList", name, routers, next, "https://www.googleapis.com" + computePath + name}, err
	})
}

// scopedRouters is one region's part of an aggregated list.
type scopedRouters struct {
	Routers []simulator.Router `json:"routers"`
}

func (c compute) listAllRouters(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) {
		byRegion, err := a.ListAllRouters(strings.TrimSuffix(computeName(r), "/aggregated/routers"))
		items := map[string]scopedRouters{}
		for region, routers := range byRegion {
			items[region] = scopedRouters{routers}
		}
		return map[string]any{"kind": "compute#routerAggregatedList", "id": computeName(r), "items": items}, err
	})
}

func (c compute) getRouter(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) { return a.GetRouter(computeName(r)) })
}

func (c compute) getRouterStatus(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) { return a.GetRouterStatus(computeName(r)) })
}

func (c compute) getSubnetwork(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) {
		view := r.URL.Query().Get("views")
		if view != "" && view != "DEFAULT" && view != simulator.WithUtilization {
			return nil, badRequest("Invalid value for field 'views': '%s'", view)
		}
		return a.GetSubnetwork(computeName(r), view)
	})
}

// computeError is Compute's own form of an error: a list of reasons, no status.
type computeError struct {
	Error computeErrorDetail `json:"error"`
}

type computeErrorDetail struct {
	Code    int                  `json:"code"`
	Message string               `json:"message"`
	Errors  []computeErrorReason `json:"errors"`
}

type computeErrorReason struct {
	Message string `json:"message"`
	Domain  string `json:"domain"`
	Reason  string `json:"reason"`
}

// reasons go with the HTTP codes.
var reasons = map[int]string{
	http.StatusBadRequest:         "invalid",
	http.StatusUnauthorized:       "authError",
	http.StatusForbidden:          "forbidden",
	http.StatusNotFound:           "notFound",
	http.StatusTooManyRequests:    "rateLimitExceeded",
	http.StatusServiceUnavailable: "backendError",
}

// refuseCompute writes an error. A lost answer ends the connection without a byte.
func refuseCompute(w http.ResponseWriter, r *http.Request, err error) {
	var e *simulator.APIError
	if !errors.As(err, &e) {
		refuse(w, r, err)
		return
	}
	retryAfter(w, e)
	detail := computeErrorReason{Message: e.Message, Domain: "global", Reason: reasons[e.Code]}
	switch {
	case strings.HasPrefix(e.Message, "Quota exceeded"): // also with 403
		detail.Reason, detail.Domain = "rateLimitExceeded", "usageLimits"
	case detail.Reason == "":
		detail.Reason = "internalError"
	}
	answer(w, r, e.Code, computeError{computeErrorDetail{e.Code, e.Message, []computeErrorReason{detail}}})
}
