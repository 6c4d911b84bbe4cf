package wire

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// CallerHeader names the identity of a caller, where it matters who calls. The
// scenario's caller is meant without it.
const CallerHeader = "X-Simulated-Caller"

const (
	inLocation = "/v2/projects/{project}/locations/{location}"
	inService  = inLocation + "/services/{service}"
)

// cloudRun is the Cloud Run Admin API v2 over a guarded world.
type cloudRun struct{ guard *Guard }

// CloudRun serves the part of the Cloud Run Admin API v2 that Sluice uses:
// services get, list, create and patch, revisions get and list, operations get
// and wait.
func CloudRun(g *Guard) http.Handler {
	c := cloudRun{g}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+inLocation+"/services", c.listServices)
	mux.HandleFunc("POST "+inLocation+"/services", c.createService)
	mux.HandleFunc("GET "+inService, c.getService)
	mux.HandleFunc("PATCH "+inService, c.patchService)
	mux.HandleFunc("GET "+inService+"/revisions", c.listRevisions)
	mux.HandleFunc("GET "+inService+"/revisions/{revision}", c.getRevision)
	mux.HandleFunc("GET "+inLocation+"/operations/{operation}", c.getOperation)
	mux.HandleFunc("POST "+inLocation+"/operations/{operation}", c.getOperation)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, &simulator.APIError{Code: http.StatusNotFound, Status: "NOT_FOUND", Message: "Method not found."})
	})
	return dated(g, mux)
}

// call runs one API call with the world to itself and writes its outcome.
func (c cloudRun) call(w http.ResponseWriter, r *http.Request, f func(simulator.API) (any, error)) {
	v, err := asked(c.guard, r, f)
	if err != nil {
		refuse(w, r, err)
		return
	}
	answer(w, r, http.StatusOK, v)
}

// resource is the name in the path, without the version and a verb.
func resource(r *http.Request) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), ":")
	return name
}

func (c cloudRun) getService(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) { return a.GetService(resource(r)) })
}

func (c cloudRun) getRevision(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) { return a.GetRevision(resource(r)) })
}

func (c cloudRun) getOperation(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) { return a.GetOperation(resource(r)) })
}

// servicesPage and revisionsPage are the answers to a list.
type servicesPage struct {
	Services      []simulator.Service `json:"services,omitempty"`
	NextPageToken string              `json:"nextPageToken,omitempty"`
}

type revisionsPage struct {
	Revisions     []simulator.Revision `json:"revisions,omitempty"`
	NextPageToken string               `json:"nextPageToken,omitempty"`
}

func (c cloudRun) listServices(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) {
		page, err := pageOf(r)
		if err != nil {
			return nil, err
		}
		services, next, err := a.ListServicesPage(strings.TrimSuffix(resource(r), "/services"), page)
		return servicesPage{services, next}, err
	})
}

func (c cloudRun) listRevisions(w http.ResponseWriter, r *http.Request) {
	c.call(w, r, func(a simulator.API) (any, error) {
		page, err := pageOf(r)
		if err != nil {
			return nil, err
		}
		revisions, next, err := a.ListRevisionsPage(strings.TrimSuffix(resource(r), "/revisions"), page)
		return revisionsPage{revisions, next}, err
	})
}

func pageOf(r *http.Request) (simulator.Page, error) {
	p := simulator.Page{Token: query(r, "pageToken", "page_token")}
	if size := query(r, "pageSize", "page_size"); size != "" {
		n, err := strconv.Atoi(size)
		if err != nil || n < 0 {
			return p, badRequest("Invalid value at 'page_size' (TYPE_INT32), \"%s\"", size)
		}
		p.Size = n
	}
	return p, nil
}

func (c cloudRun) createService(w http.ResponseWriter, r *http.Request) {
	req := simulator.CreateRequest{
		Parent:       strings.TrimSuffix(resource(r), "/services"),
		ID:           query(r, "serviceId", "service_id"),
		ValidateOnly: query(r, "validateOnly", "validate_only") == "true",
	}
	raw, err := read(w, r, &req.Service)
	if err != nil {
		refuse(w, r, err)
		return
	}
	req.Body = string(raw)
	c.call(w, r, func(a simulator.API) (any, error) { return a.CreateService(req) })
}

func (c cloudRun) patchService(w http.ResponseWriter, r *http.Request) {
	req := simulator.PatchRequest{
		Name:             resource(r),
		AllowMissing:     query(r, "allowMissing", "allow_missing") == "true",
		ValidateOnly:     query(r, "validateOnly", "validate_only") == "true",
		ForceNewRevision: query(r, "forceNewRevision", "force_new_revision") == "true",
	}
	if mask := query(r, "updateMask", "update_mask"); mask != "" {
		req.UpdateMask = strings.Split(mask, ",")
	}
	raw, err := read(w, r, &req.Service)
	if err != nil {
		refuse(w, r, err)
		return
	}
	req.Body = string(raw)
	c.call(w, r, func(a simulator.API) (any, error) { return a.PatchService(req) })
}

// query reads a parameter in either of its spellings.
func query(r *http.Request, camel, snake string) string {
	q := r.URL.Query()
	if v := q.Get(camel); v != "" {
		return v
	}
	return q.Get(snake)
}
