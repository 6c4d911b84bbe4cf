package configconnector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

// Cloud is Cloud Run as Config Connector reaches it, and the time there.
type Cloud interface {
	Now() time.Time
	GetService(name string) (simulator.Service, error)
	PatchService(request simulator.PatchRequest) (simulator.Operation, error)
	GetOperation(name string) (simulator.Operation, error)
}

// In is a world in the same process.
func In(w *simulator.World) Cloud {
	return within{w.As(simulator.Caller{Identity: Identity}), w}
}

type within struct {
	simulator.API
	world *simulator.World
}

// Now implements Cloud.
func (c within) Now() time.Time { return c.world.Now() }

// At is a world in another process: the address of its Cloud Run, and its time.
func At(address string, now func() time.Time) Cloud {
	return wired{address, now, &http.Client{Timeout: 10 * time.Second}}
}

type wired struct {
	address string
	now     func() time.Time
	client  *http.Client
}

// Now implements Cloud.
func (c wired) Now() time.Time { return c.now() }

// GetService implements Cloud.
func (c wired) GetService(name string) (s simulator.Service, err error) {
	err = c.call(http.MethodGet, name, nil, &s)
	return s, err
}

// PatchService implements Cloud. The mask of a request is left out: Config Connector
// sends none.
func (c wired) PatchService(request simulator.PatchRequest) (op simulator.Operation, err error) {
	err = c.call(http.MethodPatch, request.Name, request.Service, &op)
	return op, err
}

// GetOperation implements Cloud.
func (c wired) GetOperation(name string) (op simulator.Operation, err error) {
	err = c.call(http.MethodGet, name, nil, &op)
	return op, err
}

// call makes a call in the name of Config Connector.
func (c wired) call(method, name string, body, into any) error {
	sent := io.Reader(http.NoBody)
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("writing JSON: %w", err)
		}
		sent = bytes.NewReader(raw)
	}
	request, err := http.NewRequest(method, c.address+"/v2/"+name, sent) //nolint:noctx // the client has a timeout
	if err != nil {
		return err
	}
	request.Header.Set(wire.CallerHeader, Identity)
	answer, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return refused(answer.Status, raw)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	return nil
}

// refused is what Cloud Run says against a call.
func refused(status string, raw []byte) error {
	var body struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(raw, &body); err != nil || body.Error.Message == "" {
		return fmt.Errorf("cloud run answers %s", status)
	}
	return fmt.Errorf("cloud run answers %s: %s", status, body.Error.Message)
}
