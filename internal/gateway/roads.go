package gateway

import (
	"cmp"

	"github.com/sluice-rollouts/sluice/internal/google"
)

// road leads to an API, whoever goes there.
type road struct {
	at     google.Endpoint
	bottom *meter
}

// roads are the roads to both APIs.
type roads struct{ compute, vpcAccess road }

func newRoads(options Options) (roads, error) {
	toCompute, err := newRoad("Compute Engine", cmp.Or(options.Endpoint, DefaultEndpoint), "compute", options)
	if err != nil {
		return roads{}, err
	}
	toVPCAccess, err := newRoad(vpcAccessAPI, cmp.Or(options.VPCAccess, DefaultVPCAccess), "vpcaccess", options)
	return roads{toCompute, toVPCAccess}, err
}

func newRoad(api, address, counted string, options Options) (road, error) {
	at, err := google.ParseEndpoint(api, address)
	if err != nil {
		return road{}, err
	}
	bottom := &meter{options.Transport, google.NewCalls(counted)}
	if options.Transport == nil {
		bottom.next = google.Network()
	}
	return road{at, bottom}, nil
}
