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
	return carryOut(a, "services.get", name, func(t *ticket) (Service, error) {
		s, err := a.world.service(name)
		if err != nil {
			return Service{}, err
		}
		if n := t.versionsBack(); n > 0 {
			return s.stale(n), nil
		}
		return s.view(), nil
	})
}

// Page is which part of a list is asked for.
type Page struct {
	Size  int
	Token string
}

// listed is a page of a list, and the token of the next.
type listed[T any] struct {
	part []T
	next string
}

// ListServices reads the services of projects/P/locations/L.
func (a API) ListServices(parent string) ([]Service, error) {
	services, _, err := a.ListServicesPage(parent, Page{})
	return services, err
}

// ListServicesPage reads a page of services and the token of the next.
func (a API) ListServicesPage(parent string, page Page) ([]Service, string, error) {
	found, err := carryOut(a, "services.list", parent, func(t *ticket) (listed[Service], error) {
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
		return paged(all, page)
	})
	return found.part, found.next, err
}

// GetRevision reads a revision by its full name.
func (a API) GetRevision(name string) (Revision, error) {
	return carryOut(a, "revisions.get", name, func(*ticket) (Revision, error) {
		parent, short, _ := splitRevision(name)
		n, _ := parseServiceName(parent)
		s, err := a.world.service(parent)
		if err != nil {
			return Revision{}, err
		}
		r := s.revision(short)
		if r == nil {
			return Revision{}, notFound(n, short, "REVISION")
		}
		return r.view(a.world.now), nil
	})
}

// ListRevisions reads the revisions of a service, newest first.
func (a API) ListRevisions(parent string) ([]Revision, error) {
	revisions, _, err := a.ListRevisionsPage(parent, Page{})
	return revisions, err
}

// ListRevisionsPage reads a page of revisions and the token of the next.
func (a API) ListRevisionsPage(parent string, page Page) ([]Revision, string, error) {
	found, err := carryOut(a, "revisions.list", parent, func(*ticket) (listed[Revision], error) {
		s, err := a.world.service(parent)
		if err != nil {
			return listed[Revision]{}, err
		}
		var all []Revision
		for _, r := range slices.Backward(s.revisions) {
			all = append(all, r.view(a.world.now))
		}
		return paged(all, page)
	})
	return found.part, found.next, err
}

// GetOperation reads a long-running operation.
func (a API) GetOperation(name string) (Operation, error) {
	return carryOut(a, "operations.get", name, func(*ticket) (Operation, error) {
		op, ok := a.world.operations[name]
		if !ok {
			return Operation{}, &APIError{Code: http.StatusNotFound, Status: "NOT_FOUND", Message: "Requested entity was not found."}
		}
		return op.view(), nil
	})
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
func paged[T any](all []T, page Page) (listed[T], error) {
	const most = 1000
	from := 0
	if page.Token != "" {
		raw, decodeErr := base64.RawURLEncoding.DecodeString(page.Token)
		n, numberErr := strconv.Atoi(string(raw))
		if errors.Join(decodeErr, numberErr) != nil || n < 0 || n > len(all) {
			return listed[T]{}, invalid("page_token", "Invalid page token")
		}
		from = n
	}
	size := page.Size
	if size <= 0 || size > most {
		size = most
	}
	to := min(from+size, len(all))
	next := ""
	if to < len(all) {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return listed[T]{all[from:to], next}, nil
}
