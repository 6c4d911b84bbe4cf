package wire

import (
	"net/http"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const vpcAccessPath = "/v1/"

// VPCAccess serves connectors.get of the Serverless VPC Access API v1 over a guarded
// world. Its errors have the form of Cloud Run's.
func VPCAccess(g *Guard) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+vpcAccessPath+"projects/{project}/locations/{location}/connectors/{connector}", func(w http.ResponseWriter, r *http.Request) {
		v, err := asked(g, r, func(a simulator.API) (any, error) {
			return a.GetConnector(strings.TrimPrefix(r.URL.Path, vpcAccessPath))
		})
		if err != nil {
			refuse(w, r, err)
			return
		}
		answer(w, r, http.StatusOK, v)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, &simulator.APIError{Code: http.StatusNotFound, Status: "NOT_FOUND", Message: "Method not found."})
	})
	return dated(g, mux)
}
