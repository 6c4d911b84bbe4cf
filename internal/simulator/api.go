package simulator

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Caller is who makes an API call.
type Caller struct {
	Identity  string // an e-mail address, as in lastModifier
	UserAgent string
}

// API is the Cloud Run Admin API as one caller sees it. Every call is logged.
type API struct {
	world  *World
	caller Caller
}

// As is the API in the hands of a caller. An empty identity is the scenario's.
func (w *World) As(c Caller) API {
	c.Identity = cmp.Or(c.Identity, w.scenario.Caller)
	return API{world: w, caller: c}
}

// GetService reads a service by its full name.
func (a API) GetService(name string) (Service, error) {
	t := a.begin("services.get", name)
	if err := t.refusal(); err != nil {
		return Service{}, err
	}
	s, err := a.world.service(name)
	if err != nil {
		return Service{}, t.end(err)
	}
	if n := t.versionsBack(); n > 0 {
		return s.stale(n), t.end(nil)
	}
	return s.view(), t.end(nil)
}

// Page is which part of a list is asked for.
type Page struct {
	Size  int
	Token string
}

// ListServices reads the services of projects/P/locations/L.
func (a API) ListServices(parent string) ([]Service, error) {
	services, _, err := a.ListServicesPage(parent, Page{})
	return services, err
}

// ListServicesPage reads a page of services and the token of the next.
func (a API) ListServicesPage(parent string, page Page) ([]Service, string, error) {
	t := a.begin("services.list", parent)
	if err := t.refusal(); err != nil {
		return nil, "", err
	}
	var all []Service
	for _, s := range a.world.services {
		if s.name.parent() != parent {
			continue
		}
		if n := t.versionsBack(); n > 0 {
			all = append(all, s.stale(n))
			continue
		}
		all = append(all, s.view())
	}
	slices.SortFunc(all, func(x, y Service) int { return strings.Compare(x.Name, y.Name) })
	part, next, err := paged(all, page)
	return part, next, t.end(err)
}

// GetRevision reads a revision by its full name.
func (a API) GetRevision(name string) (Revision, error) {
	t := a.begin("revisions.get", name)
	if err := t.refusal(); err != nil {
		return Revision{}, err
	}
	parent, short, _ := splitRevision(name)
	n, _ := parseServiceName(parent)
	s, err := a.world.service(parent)
	if err != nil {
		return Revision{}, t.end(err)
	}
	r := s.revision(short)
	if r == nil {
		return Revision{}, t.end(notFound(n, short, "REVISION"))
	}
	return r.view(a.world.now), t.end(nil)
}

// ListRevisions reads the revisions of a service, newest first.
func (a API) ListRevisions(parent string) ([]Revision, error) {
	revisions, _, err := a.ListRevisionsPage(parent, Page{})
	return revisions, err
}

// ListRevisionsPage reads a page of revisions and the token of the next.
func (a API) ListRevisionsPage(parent string, page Page) ([]Revision, string, error) {
	t := a.begin("revisions.list", parent)
	if err := t.refusal(); err != nil {
		return nil, "", err
	}
	s, err := a.world.service(parent)
	if err != nil {
		return nil, "", t.end(err)
	}
	var all []Revision
	for _, r := range slices.Backward(s.revisions) {
		all = append(all, r.view(a.world.now))
	}
	part, next, err := paged(all, page)
	return part, next, t.end(err)
}

// GetOperation reads a long-running operation.
func (a API) GetOperation(name string) (Operation, error) {
	t := a.begin("operations.get", name)
	if err := t.refusal(); err != nil {
		return Operation{}, err
	}
	op, ok := a.world.operations[name]
	if !ok {
		return Operation{}, t.end(&APIError{
			Code: http.StatusNotFound, Status: "NOT_FOUND", Message: "Requested entity was not found.",
		})
	}
	return op.view(), t.end(nil)
}

// service finds a service by its full name, or says that it does not exist.
func (w *World) service(name string) (*service, error) {
	n, ok := parseServiceName(name)
	if !ok {
		return nil, invalid("name", "Invalid resource name '%s'", name)
	}
	for _, s := range w.services {
		if s.Name == name {
			return s, nil
		}
	}
	return nil, serviceNotFound(n)
}

// paged cuts a page out of a list.
func paged[T any](all []T, page Page) (part []T, next string, err error) {
	const most = 1000
	from := 0
	if page.Token != "" {
		raw, decodeErr := base64.RawURLEncoding.DecodeString(page.Token)
		n, numberErr := strconv.Atoi(string(raw))
		if errors.Join(decodeErr, numberErr) != nil || n < 0 || n > len(all) {
			return nil, "", invalid("page_token", "Invalid page token")
		}
		from = n
	}
	size := page.Size
	if size <= 0 || size > most {
		size = most
	}
	to := min(from+size, len(all))
	if to < len(all) {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return all[from:to], next, nil
}
