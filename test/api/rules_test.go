package api_test

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// rule is one of the CRD's x-kubernetes-validations. Fragments of YAML are laid
// over config/samples/target-only.yaml, or over before, which exists already.
type rule struct {
	field  string // where it stands, without list indices
	says   string // how its message begins
	before string
	accept map[string]string
	reject map[string]string
}

const (
	steps    = `spec: {strategy: {stepDeadline: 48h, steps: `
	checks   = `spec: {analysis: {checks: `
	gateway  = `spec: {nat: {gateways: [{project: acme-net, region: asia-northeast1, router: r1, name: nat-1, `
	service  = `spec: {target: {service: {`
	onNoData = `spec: {analysis: {onNoData: `
	query    = checks + `[{name: mine, query: {promql: 'sum(rate(a:b{r="{{candidate}}"}[5m]))', `

	runService = `spec: {target: {service: null, runServiceRef: {`
	ready      = `{type: Ready, status: "True", lastTransitionTime: "2026-11-23T08:00:00Z", `
)

var rules = []rule{
	{
		field: "spec.target", says: "target must have exactly one member",
		accept: map[string]string{
			"a service":    ``,
			"a RunService": runService + `name: graphql-api}}}`,
		},
		reject: map[string]string{
			"no member":   `spec: {target: {service: null}}`,
			"two members": `spec: {target: {runServiceRef: {name: graphql-api}}}`,
		},
	},
	{
		field: "spec.target", says: "target is immutable", before: `{}`,
		accept: map[string]string{"the same service, other steps": `spec: {strategy: {steps: [{weight: 100}]}}`},
		reject: map[string]string{
			"another service":  service + `name: other}}}`,
			"another location": service + `location: europe-west1}}}`,
			"another project":  service + `project: acme-test}}}`,
			"a RunService":     runService + `name: graphql-api}}}`,
		},
	},
	{
		field: "spec.target.runServiceRef.name", says: "name must be the name of a RunService",
		accept: map[string]string{
			"a digit first": runService + `name: 1api}}}`,
			"dots":          runService + `name: shop.graphql-api}}}`,
			"the longest":   runService + `name: a` + strings.Repeat("b", 252) + `}}}`,
		},
		reject: map[string]string{
			"nothing":              runService + `name: ""}}}`,
			"a namespace":          runService + `name: shop/graphql-api}}}`,
			"capitals":             runService + `name: GraphQL}}}`,
			"a hyphen at the end":  runService + `name: api-}}}`,
			"two dots":             runService + `name: shop..api}}}`,
			"a filter in disguise": runService + `name: 'x" OR metric.type="'}}}`,
		},
	},
	{
		field: "spec.target.service.project", says: "project must be a project ID",
		accept: map[string]string{
			"the shortest": service + `project: abcdef}}}`,
			"the longest":  service + `project: a` + strings.Repeat("0", 29) + `}}}`,
		},
		reject: map[string]string{
			"a project number":       service + `project: "123456789012"}}}`,
			"a domain-scoped ID":     service + `project: example.com:acme}}}`,
			"five characters":        service + `project: abcde}}}`,
			"a hyphen at the end":    service + `project: acme-prod-}}}`,
			"a path":                 service + `project: acme/locations}}}`,
			"a filter in disguise":   service + `project: 'x" OR metric.type="'}}}`,
			"a line break after it":  service + `project: "acme-prod\n"}}}`,
			"an empty one":           service + `project: ""}}}`,
			"letters of other tongs": service + `project: ácme-prod}}}`,
		},
	},
	{
		field: "spec.target.service.location", says: "location must be a region",
		accept: map[string]string{
			"a region":                   service + `location: northamerica-northeast1}}}`,
			"a region of another cloud":  service + `location: u-germany-northeast1}}}`,
			"a region with a high count": service + `location: europe-west12}}}`,
		},
		reject: map[string]string{
			"a zone":               service + `location: asia-northeast1-a}}}`,
			"a multi-region":       service + `location: asia}}}`,
			"a filter in disguise": service + `location: 'x" OR metric.type="'}}}`,
		},
	},
	{
		field: "spec.target.service.name", says: "name must be the short name of a service",
		accept: map[string]string{
			"one letter":  service + `name: a}}}`,
			"the longest": service + `name: a` + strings.Repeat("b", 48) + `}}}`,
		},
		reject: map[string]string{
			"a full resource name": service + `name: projects/acme-prod/locations/x/services/y}}}`,
			"capitals":             service + `name: GraphQL}}}`,
			"a digit first":        service + `name: 1api}}}`,
			"a hyphen at the end":  service + `name: api-}}}`,
			"a filter in disguise": service + `name: 'x" OR metric.type="'}}}`,
		},
	},
	{
		field: "spec.candidateRevision", says: "candidateRevision must be the full name",
		accept: map[string]string{"an empty one": `spec: {candidateRevision: ""}`},
		reject: map[string]string{
			"a filter in disguise": `spec: {candidateRevision: 'graphql-api-1" OR x="'}`,
			"a hyphen at the end":  `spec: {candidateRevision: graphql-api-}`,
			"a tag":                `spec: {candidateRevision: LATEST}`,
		},
	},
	{
		field: "spec.candidateRevision", says: "candidateRevision must be a revision of the target service",
		accept: map[string]string{"a revision of the service": `spec: {candidateRevision: graphql-api-00042-abc}`},
		reject: map[string]string{
			"a revision of another service": `spec: {candidateRevision: checkout-00042-abc}`,
			"the short form":                `spec: {candidateRevision: graphql-apix}`,
		},
	},
	{
		field: "spec.stableRevision", says: "stableRevision must be the full name",
		accept: map[string]string{"an empty one": `spec: {stableRevision: ""}`},
		reject: map[string]string{"a filter in disguise": `spec: {stableRevision: 'graphql-api-1" OR x="'}`},
	},
	{
		field: "spec.stableRevision", says: "stableRevision must be a revision of the target service",
		accept: map[string]string{"a revision of the service": `spec: {stableRevision: graphql-api-00042-abc}`},
		reject: map[string]string{"a revision of another service": `spec: {stableRevision: checkout-00042-abc}`},
	},
	{
		field: "spec.strategy.steps", says: "the weights of steps must rise",
		accept: map[string]string{
			"one step":        steps + `[{weight: 100}]}}`,
			"each percent":    steps + `[{weight: 1}, {weight: 2}, {weight: 3}, {weight: 100}]}}`,
			"as many as fit ": steps + `[` + strings.Join(weights(1, 19), ", ") + `, {weight: 100}]}}`,
		},
		reject: map[string]string{
			"a weight that falls":        steps + `[{weight: 50}, {weight: 25}, {weight: 100}]}}`,
			"the same weight twice":      steps + `[{weight: 25}, {weight: 25}, {weight: 100}]}}`,
			"the last weight twice":      steps + `[{weight: 25}, {weight: 100}, {weight: 100}]}}`,
			"everything and then a part": steps + `[{weight: 100}, {weight: 50}]}}`,
		},
	},
	{
		field: "spec.strategy.steps", says: "the last of steps must have weight: 100",
		accept: map[string]string{"100 at the end": steps + `[{weight: 99}, {weight: 100}]}}`},
		reject: map[string]string{
			"99 at the end":          steps + `[{weight: 5}, {weight: 99}]}}`,
			"nothing but a first 5%": steps + `[{weight: 5}]}}`,
		},
	},
	{
		field: "spec.strategy.steps.bake", says: "bake must be 1m to 24h",
		accept: map[string]string{
			"a minute":              steps + `[{weight: 100, bake: 1m}]}}`,
			"a minute in seconds":   steps + `[{weight: 100, bake: 60s}]}}`,
			"a day":                 steps + `[{weight: 100, bake: 24h}]}}`,
			"hours and minutes":     steps + `[{weight: 100, bake: 1h30m}]}}`,
			"the way Go writes it":  steps + `[{weight: 100, bake: 1h0m0s}]}}`,
			"nothing, which is 10m": steps + `[{weight: 100}]}}`,
		},
		reject: map[string]string{
			"under a minute":        steps + `[{weight: 100, bake: 59s}]}}`,
			"nothing at all":        steps + `[{weight: 100, bake: 0m}]}}`,
			"half a minute over":    steps + `[{weight: 100, bake: 90s}]}}`,
			"over a day":            steps + `[{weight: 100, bake: 24h1m}]}}`,
			"no unit":               steps + `[{weight: 100, bake: "10"}]}}`,
			"another unit":          steps + `[{weight: 100, bake: 1d}]}}`,
			"a fraction":            steps + `[{weight: 100, bake: 1.5m}]}}`,
			"a negative one":        steps + `[{weight: 100, bake: "-10m"}]}}`,
			"an empty string":       steps + `[{weight: 100, bake: ""}]}}`,
			"so long it overflowed": steps + `[{weight: 100, bake: 99999h99999h99999h}]}}`,
		},
	},
	{
		field: "spec.strategy.stepDeadline", says: "stepDeadline must be 21m to 48h",
		accept: map[string]string{
			"21m for a bake of 1m":  `spec: {strategy: {stepDeadline: 21m, steps: [{weight: 100, bake: 1m}]}}`,
			"two days":              `spec: {strategy: {stepDeadline: 48h}}`,
			"nothing, which is 1h":  `spec: {strategy: {steps: [{weight: 100, bake: 40m}]}}`,
			"hours and odd seconds": `spec: {strategy: {stepDeadline: 1h30s}}`,
		},
		reject: map[string]string{
			"a second too short": `spec: {strategy: {stepDeadline: 1259s, steps: [{weight: 100, bake: 1m}]}}`,
			"over two days":      `spec: {strategy: {stepDeadline: 48h1s}}`,
			"no duration":        `spec: {strategy: {stepDeadline: soon}}`,
		},
	},
	{
		field: "spec.strategy.windows.duration", says: "duration must be 1m to 168h",
		accept: map[string]string{
			"none":     `spec: {strategy: {pacing: Fixed}}`,
			"a minute": `spec: {strategy: {windows: [{schedule: "0 9 * * 1-5", duration: 1m}]}}`,
			"a week":   `spec: {strategy: {windows: [{schedule: "0 9 * * 1-5", duration: 168h}]}}`,
		},
		reject: map[string]string{
			"half a minute":   `spec: {strategy: {windows: [{schedule: "0 9 * * 1-5", duration: 30s}]}}`,
			"a second more":   `spec: {strategy: {windows: [{schedule: "0 9 * * 1-5", duration: 168h1s}]}}`,
			"no duration":     `spec: {strategy: {windows: [{schedule: "0 9 * * 1-5", duration: all day}]}}`,
			"an empty string": `spec: {strategy: {windows: [{schedule: "0 9 * * 1-5", duration: ""}]}}`,
		},
	},
	{
		field: "spec.strategy.warmup.timeout", says: "timeout must be 10s to 15m",
		accept: map[string]string{
			"none":                 `spec: {strategy: {pacing: Fixed}}`,
			"nothing, which is 5m": `spec: {strategy: {warmup: {}}}`,
			"ten seconds":          `spec: {strategy: {warmup: {timeout: 10s}}}`,
			"a quarter of an hour": `spec: {strategy: {warmup: {timeout: 15m}}}`,
		},
		reject: map[string]string{
			"a second less":   `spec: {strategy: {warmup: {timeout: 9s}}}`,
			"a second more":   `spec: {strategy: {warmup: {timeout: 15m1s}}}`,
			"no duration":     `spec: {strategy: {warmup: {timeout: soon}}}`,
			"an empty string": `spec: {strategy: {warmup: {timeout: ""}}}`,
		},
	},
	{
		field: "spec.strategy.stepDeadline", says: "stepDeadline must be at least 20m longer than the longest bake",
		accept: map[string]string{
			"20m more than the bake": `spec: {strategy: {stepDeadline: 2h20m, steps: [{weight: 100, bake: 2h}]}}`,
			"20m more by default":    `spec: {strategy: {stepDeadline: 40m}}`,
		},
		reject: map[string]string{
			"a second less":              `spec: {strategy: {stepDeadline: 1h59m59s, steps: [{weight: 5, bake: 1h40m}, {weight: 100}]}}`,
			"too short for the defaults": `spec: {strategy: {stepDeadline: 39m}}`,
			"a bake of 1h with nothing":  `spec: {strategy: {steps: [{weight: 100, bake: 1h}]}}`,
		},
	},
	{
		field: "spec.analysis.window", says: "window must be 1m to 1h",
		accept: map[string]string{
			"a minute": `spec: {analysis: {window: 1m}}`,
			"an hour":  `spec: {analysis: {window: 1h}}`,
		},
		reject: map[string]string{
			"half a minute":      `spec: {analysis: {window: 30s}}`,
			"half a minute over": `spec: {analysis: {window: 90s}}`,
			"over an hour":       `spec: {analysis: {window: 61m}}`,
			"no duration":        `spec: {analysis: {window: "5"}}`,
		},
	},
	{
		field: "spec.analysis.onNoData.after", says: "after must be 1m to 24h",
		accept: map[string]string{
			"a minute":          onNoData + `{after: 1m}}}`,
			"a day":             onNoData + `{after: 24h}}}`,
			"odd seconds":       onNoData + `{after: 90s, action: Rollback}}}`,
			"only what follows": onNoData + `{action: Rollback}}}`,
		},
		reject: map[string]string{
			"at once":     onNoData + `{after: 0s}}}`,
			"over a day":  onNoData + `{after: 25h}}}`,
			"no duration": onNoData + `{after: never}}}`,
		},
	},
	{
		field: "spec.analysis.checks", says: "all checks are Off or Shadow",
		accept: map[string]string{
			"one built-in check Off":            checks + `[{name: errors, mode: "Off"}]}}`,
			"two built-in checks Off":           checks + `[{name: nat-allocation, mode: "Off"}, {name: nat-drops, mode: "Off"}]}}`,
			"the built-in ones Off, one beside": checks + allOff + `, {name: mine, serverErrors: {maxPercent: 1}}]}}`,
			"none Off, one in Shadow":           checks + `[{name: errors, mode: Shadow}]}}`,
			"an empty list":                     checks + `[]}}`,
		},
		reject: map[string]string{
			"the built-in checks Off":               checks + allOff + `]}}`,
			"the built-in checks in Shadow":         checks + `[{name: errors, mode: Shadow}, {name: nat-allocation, mode: Shadow}, {name: nat-drops, mode: Shadow}]}}`,
			"all Off, one beside in Shadow":         checks + allOff + `, {name: mine, mode: Shadow, serverErrors: {maxPercent: 1}}]}}`,
			"the built-in checks and one beside it": checks + allOff + `, {name: mine, mode: "Off", serverErrors: {maxPercent: 1}}]}}`,
		},
	},
	{
		field: "spec.analysis.checks", says: `with nat.discovery "Off" no NAT check runs`,
		accept: map[string]string{
			"NAT Off, errors on":              `spec: {nat: {discovery: "Off"}, analysis: {checks: [{name: errors, onBreach: Hold}]}}`,
			"NAT Off, no checks named":        `spec: {nat: {discovery: "Off"}}`,
			"NAT Off, a latency in its place": `spec: {nat: {discovery: "Off"}, analysis: {checks: [{name: errors, mode: "Off"}, {name: slow, latency: {maxMilliseconds: 800}}]}}`,
			"NAT Off, another in its place":   `spec: {nat: {discovery: "Off"}, analysis: {checks: [{name: errors, mode: "Off"}, {name: mine, serverErrors: {maxPercent: 1}}]}}`,
		},
		reject: map[string]string{
			"NAT Off, errors in Shadow": `spec: {nat: {discovery: "Off"}, analysis: {checks: [{name: errors, mode: Shadow}]}}`,
			"NAT Off, errors Off":       `spec: {nat: {discovery: "Off"}, analysis: {checks: [{name: errors, mode: "Off"}]}}`,
			"a share of ports on":       `spec: {nat: {discovery: "Off"}, analysis: {checks: [{name: errors, mode: "Off"}, {name: ports, natPortUtilization: {maxPercent: 80}}]}}`,
			"only a NAT check on":       `spec: {nat: {discovery: "Off"}, analysis: {checks: [{name: errors, mode: "Off"}, {name: nat-drops, mode: Enforce}]}}`,
		},
	},
	{
		field: "spec.analysis.checks.name", says: "name must be a word",
		accept: map[string]string{"a word with digits": checks + `[{name: errors-2, serverErrors: {maxPercent: 1}}]}}`},
		reject: map[string]string{
			"a sentence":           checks + `[{name: "server errors", serverErrors: {maxPercent: 1}}]}}`,
			"a filter in disguise": checks + `[{name: 'x" OR metric.type="', serverErrors: {maxPercent: 1}}]}}`,
			"an empty one":         checks + `[{name: "", serverErrors: {maxPercent: 1}}]}}`,
		},
	},
	{
		field: "spec.analysis.checks", says: "a check has only one of serverErrors",
		accept: map[string]string{"one": checks + `[{name: mine, natDroppedPackets: {maxPerMinute: 10}}]}}`},
		reject: map[string]string{
			"a query and another": checks + `[{name: mine, latency: {maxMilliseconds: 800}, query: {promql: up, max: "1"}}]}}`,
			"two new ones":        checks + `[{name: mine, latency: {maxMilliseconds: 800}, instanceSaturation: {maxPending: 5}}]}}`,
			"two of NAT":          checks + `[{name: mine, natPortUtilization: {maxPercent: 80}, natDroppedPackets: {maxPerMinute: 10}}]}}`,
			"two":                 checks + `[{name: mine, serverErrors: {maxPercent: 1}, natDroppedPackets: {maxPerMinute: 10}}]}}`,
			"three":               checks + `[{name: mine, serverErrors: {maxPercent: 1}, natDroppedPackets: {maxPerMinute: 10}, natAllocationFailures: {maxMinutes: 1}}]}}`,
		},
	},
	{
		field: "spec.analysis.checks", says: "a check needs a threshold",
		accept: map[string]string{
			"errors without thresholds":    checks + `[{name: errors, onBreach: Hold}]}}`,
			"nat-allocation without them":  checks + `[{name: nat-allocation, mode: Shadow}]}}`,
			"nat-drops without thresholds": checks + `[{name: nat-drops, onBreach: Rollback}]}}`,
			"errors with nothing but name": checks + `[{name: errors}]}}`,
			"client errors":                checks + `[{name: client, clientErrors: {maxPercent: 5, relativeToStable: true}}]}}`,
			"a latency":                    checks + `[{name: slow, latency: {percentile: 95, maxMilliseconds: 800}}]}}`,
			"instances":                    checks + `[{name: full, instanceSaturation: {maxPercent: 80}}]}}`,
			"a share of ports":             checks + `[{name: ports, natPortUtilization: {maxPercent: 80}}]}}`,
		},
		reject: map[string]string{"another name without thresholds": checks + `[{name: mine, mode: Shadow}]}}`},
	},
	{
		field: "spec.analysis.checks", says: "a built-in check keeps its kind",
		accept: map[string]string{
			"errors with its kind":         checks + `[{name: errors, serverErrors: {maxPercent: 2}}]}}`,
			"nat-allocation with its kind": checks + `[{name: nat-allocation, natAllocationFailures: {maxMinutes: 4}}]}}`,
			"nat-drops with its kind":      checks + `[{name: nat-drops, natDroppedPackets: {maxPerMinute: 5, minMinutes: 5}}]}}`,
		},
		reject: map[string]string{
			"errors that watch the time":       checks + `[{name: errors, latency: {maxMilliseconds: 800}}]}}`,
			"nat-drops that watch ports":       checks + `[{name: nat-drops, natPortUtilization: {maxPercent: 80}}]}}`,
			"nat-drops that watch instances":   checks + `[{name: nat-drops, instanceSaturation: {maxPending: 1}}]}}`,
			"errors that asks a query":         checks + `[{name: errors, query: {promql: up, max: "1"}}]}}`,
			"nat-drops that asks a query":      checks + `[{name: nat-drops, query: {promql: up, max: "1"}}]}}`,
			"nat-allocation that asks clients": checks + `[{name: nat-allocation, clientErrors: {maxPercent: 1}}]}}`,
			"errors that watch NAT":            checks + `[{name: errors, natDroppedPackets: {maxPerMinute: 1}}]}}`,
			"nat-allocation that counts drops": checks + `[{name: nat-allocation, natDroppedPackets: {maxPerMinute: 1}}]}}`,
			"nat-drops that count errors":      checks + `[{name: nat-drops, serverErrors: {maxPercent: 1}}]}}`,
		},
	},
	{
		field: "spec.analysis.checks.rollbackAfter", says: "rollbackAfter needs a check that holds",
		accept: map[string]string{
			"errors that hold":               checks + `[{name: errors, onBreach: Hold, rollbackAfter: 10m}]}}`,
			"a NAT check, which holds":       checks + `[{name: nat-drops, rollbackAfter: 10m}]}}`,
			"a NAT check with another name":  checks + `[{name: mine, natDroppedPackets: {maxPerMinute: 9}, rollbackAfter: 10m}]}}`,
			"a NAT check that goes straight": checks + `[{name: nat-drops, onBreach: Rollback}]}}`,
			"a share of ports, which holds":  checks + `[{name: mine, natPortUtilization: {maxPercent: 80}, rollbackAfter: Never}]}}`,
			"a query, which holds":           query + `max: "1"}, rollbackAfter: 10m}]}}`,
			"client errors, which hold":      checks + `[{name: mine, clientErrors: {maxPercent: 1}, rollbackAfter: 10m}]}}`,
		},
		reject: map[string]string{
			"a latency, which rolls back":  checks + `[{name: mine, latency: {maxMilliseconds: 800}, rollbackAfter: 10m}]}}`,
			"errors, which roll back":      checks + `[{name: errors, rollbackAfter: 10m}]}}`,
			"errors with another name":     checks + `[{name: mine, serverErrors: {maxPercent: 1}, rollbackAfter: 10m}]}}`,
			"a NAT check that rolls back":  checks + `[{name: nat-drops, onBreach: Rollback, rollbackAfter: 10m}]}}`,
			"errors told to roll back too": checks + `[{name: errors, onBreach: Rollback, rollbackAfter: 10m}]}}`,
		},
	},
	{
		field: "spec.analysis.checks.rollbackAfter", says: "rollbackAfter must be 1m to 24h",
		accept: map[string]string{
			"never":     checks + `[{name: nat-drops, rollbackAfter: Never}]}}`,
			"a minute":  checks + `[{name: nat-drops, rollbackAfter: 60s}]}}`,
			"a day":     checks + `[{name: nat-drops, rollbackAfter: 24h}]}}`,
			"odd times": checks + `[{name: nat-drops, rollbackAfter: 7m30s}]}}`,
		},
		reject: map[string]string{
			"at once, which is another word": checks + `[{name: nat-drops, rollbackAfter: 0s}]}}`,
			"over a day":                     checks + `[{name: nat-drops, rollbackAfter: 1441m}]}}`,
			"no duration":                    checks + `[{name: nat-drops, rollbackAfter: never}]}}`,
		},
	},
	{
		field: "spec.analysis.checks.serverErrors.maxPercent", says: "maxPercent must be 0 to 99.99 percent",
		accept: map[string]string{
			"none":                    checks + `[{name: errors, serverErrors: {maxPercent: 0}}]}}`,
			"a whole number":          checks + `[{name: errors, serverErrors: {maxPercent: 99}}]}}`,
			"a string":                checks + `[{name: errors, serverErrors: {maxPercent: "0.5"}}]}}`,
			"a string with a percent": checks + `[{name: errors, serverErrors: {maxPercent: "99.99%"}}]}}`,
		},
		reject: map[string]string{
			"all":                  checks + `[{name: errors, serverErrors: {maxPercent: 100}}]}}`,
			"less than none":       checks + `[{name: errors, serverErrors: {maxPercent: -1}}]}}`,
			"three decimals":       checks + `[{name: errors, serverErrors: {maxPercent: "0.125"}}]}}`,
			"a ratio with a point": checks + `[{name: errors, serverErrors: {maxPercent: ".5"}}]}}`,
			"words":                checks + `[{name: errors, serverErrors: {maxPercent: "few"}}]}}`,
			"an empty string":      checks + `[{name: errors, serverErrors: {maxPercent: ""}}]}}`,
		},
	},
	{
		field: "spec.analysis.checks.clientErrors.maxPercent", says: "maxPercent must be 0 to 99.99 percent",
		accept: map[string]string{
			"a whole number": checks + `[{name: mine, clientErrors: {maxPercent: 5}}]}}`,
			"a string":       checks + `[{name: mine, clientErrors: {maxPercent: "0.5%", relativeToStable: true}}]}}`,
		},
		reject: map[string]string{
			"all":   checks + `[{name: mine, clientErrors: {maxPercent: 100}}]}}`,
			"words": checks + `[{name: mine, clientErrors: {maxPercent: "few"}}]}}`,
		},
	},
	{
		field: "spec.analysis.checks.query", says: "query needs a limit",
		accept: map[string]string{
			"a largest value":  query + `max: "0.02"}}]}}`,
			"a smallest value": query + `min: "-3"}}]}}`,
			"both":             query + `min: "0.5", max: "0.5"}}]}}`,
		},
		reject: map[string]string{"neither": query + `}}]}}`},
	},
	{
		field: "spec.analysis.checks.query", says: "min is above max",
		accept: map[string]string{
			"numbers, not texts": query + `min: "9", max: "10"}}]}}`,
			"below zero":         query + `min: "-10", max: "-9.5"}}]}}`,
		},
		reject: map[string]string{"exchanged": query + `min: "10", max: "9"}}]}}`},
	},
	{
		field: "spec.analysis.checks.query.max", says: "max must be a decimal number",
		accept: map[string]string{"the longest": query + `max: "-123456789012.123456789"}}]}}`},
		reject: map[string]string{
			"an exponent":      query + `max: "1e3"}}]}}`,
			"a unit":           query + `max: "2%"}}]}}`,
			"no digit first":   query + `max: ".5"}}]}}`,
			"not a number":     query + `max: "NaN"}}]}}`,
			"thirteen digits":  query + `max: "1234567890123"}}]}}`,
			"a line after it":  query + `max: "1\n"}}]}}`,
			"words beside min": query + `min: "1", max: "much"}}]}}`,
		},
	},
	{
		field: "spec.analysis.checks.query.min", says: "min must be a decimal number",
		accept: map[string]string{"zero": query + `min: "0"}}]}}`},
		reject: map[string]string{"words": query + `min: "little"}}]}}`},
	},
	{
		field: "spec.analysis.checks.instanceSaturation", says: "instanceSaturation needs a limit",
		accept: map[string]string{
			"instances":          checks + `[{name: mine, instanceSaturation: {maxPercent: 100}}]}}`,
			"requests that wait": checks + `[{name: mine, instanceSaturation: {maxPending: 0}}]}}`,
			"both":               checks + `[{name: mine, instanceSaturation: {maxPercent: 80, maxPending: 10}}]}}`,
		},
		reject: map[string]string{"none": checks + `[{name: mine, instanceSaturation: {}}]}}`},
	},
	{
		field: "spec.nat.discovery", says: `discovery "Off" means that NAT is not watched`,
		accept: map[string]string{
			"Off without gateways": `spec: {nat: {discovery: "Off"}}`,
			"Auto with a gateway":  gateway + `}]}}`,
		},
		reject: map[string]string{"Off with a gateway": gateway + `}], discovery: "Off"}}`},
	},
	{
		field: "spec.nat.gateways.project", says: "project must be a project ID",
		accept: map[string]string{"an ID": gateway + `project: other-project-1}]}}`},
		reject: map[string]string{
			"a number":             gateway + `project: "123456789012"}]}}`,
			"a filter in disguise": gateway + `project: 'x" OR metric.type="'}]}}`,
		},
	},
	{
		field: "spec.nat.gateways.region", says: "region must be a region",
		accept: map[string]string{"a region": gateway + `region: europe-west1}]}}`},
		reject: map[string]string{
			"a zone":               gateway + `region: europe-west1-b}]}}`,
			"a filter in disguise": gateway + `region: 'x" OR metric.type="'}]}}`,
		},
	},
	{
		field: "spec.nat.gateways.router", says: "router must be the short name of a Cloud Router",
		accept: map[string]string{"the longest": gateway + `router: a` + strings.Repeat("b", 62) + `}]}}`},
		reject: map[string]string{
			"a path":               gateway + `router: projects/acme-net/regions/x/routers/r1}]}}`,
			"a filter in disguise": gateway + `router: 'x" OR metric.type="'}]}}`,
		},
	},
	{
		field: "spec.nat.gateways.name", says: "name must be the short name of a Cloud NAT gateway",
		accept: map[string]string{"the longest": gateway + `name: a` + strings.Repeat("b", 62) + `}]}}`},
		reject: map[string]string{"a filter in disguise": gateway + `name: 'x" OR metric.type="'}]}}`},
	},
	{
		field: "spec.template", says: "template is not for a runServiceRef target",
		accept: map[string]string{"of a service": `spec: {template: {containers: [{image: "web@sha256:abc", resources: {cpuIdle: false}, env: [{name: A, value: ""}]}], scaling: {minInstanceCount: 0}}}`},
		reject: map[string]string{"of a RunService": runService + `name: web}}, template: {containers: [{image: "web@sha256:abc"}]}}`},
	},
	{
		field: "spec.candidateRevision", says: "candidateRevision and template exclude each other",
		accept: map[string]string{"a template beside an empty one": `spec: {candidateRevision: "", template: {containers: [{image: "web@sha256:abc"}]}}`},
		reject: map[string]string{"both": `spec: {candidateRevision: graphql-api-00042-abc, template: {containers: []}}`},
	},
	{
		field: "status.conditions", says: "a condition's message has at most 896 characters", before: `{}`,
		accept: map[string]string{"a long message": `status: {conditions: [` + ready + `reason: Steady, message: ` + strings.Repeat("m", 896) + `}]}`},
		reject: map[string]string{
			"a longer message": `status: {conditions: [` + ready + `reason: Steady, message: ` + strings.Repeat("m", 897) + `}]}`,
			"a long reason":    `status: {conditions: [` + ready + `message: "", reason: ` + strings.Repeat("R", 65) + `}]}`,
		},
	},
}

const allOff = `[{name: errors, mode: "Off"}, {name: nat-allocation, mode: "Off"}, {name: nat-drops, mode: "Off"}`

func weights(from, to int) []string {
	var list []string
	for i := from; i <= to; i++ {
		list = append(list, `{weight: `+strconv.Itoa(i)+`}`)
	}
	return list
}

// TestRules tries each rule with what it lets pass and with what it refuses.
func TestRules(t *testing.T) {
	for _, r := range rules {
		t.Run(r.says, func(t *testing.T) {
			if len(r.accept) == 0 || len(r.reject) == 0 {
				t.Error("a rule needs something it accepts and something it rejects")
			}
			for name, fragment := range r.accept {
				t.Run("accepts "+name, func(t *testing.T) {
					if err := r.try(t, fragment); err != nil {
						t.Errorf("refused: %v", err)
					}
				})
			}
			for name, fragment := range r.reject {
				t.Run("rejects "+name, func(t *testing.T) {
					if err := r.try(t, fragment); !r.speaks(err) {
						t.Errorf("got %v, want %s: %s...", err, r.field, r.says)
					}
				})
			}
		})
	}
}

// try sends a fragment as a new object, or as a change of one that exists.
func (r rule) try(t *testing.T, fragment string) error {
	t.Helper()
	base := sample(t, minimal)
	if r.before == "" {
		_, err := try(t, with(t, base, fragment))
		return err
	}
	changed := with(t, create(t, with(t, base, r.before)), fragment)
	options := metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
	var subresources []string
	if strings.HasPrefix(r.field, "status") {
		subresources = []string{"status"}
	}
	_, err := rollouts(t).Update(t.Context(), changed, options, subresources...)
	return err
}

// speaks tells whether it is this rule that refused.
func (r rule) speaks(err error) bool {
	return slices.ContainsFunc(causes(err), func(c cause) bool {
		return c.field == r.field && strings.HasPrefix(c.message, r.says)
	})
}

// cause is one thing that is wrong with an object.
type cause struct{ field, message string }

var (
	indices = regexp.MustCompile(`\[[^]]*\]`)
	value   = regexp.MustCompile(`^Invalid value: ("(\\.|[^"\\])*": |-?[0-9]+: )?`)
)

// causes lists what the server found wrong, without indices and values.
func causes(err error) []cause {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var list []cause
	for _, c := range status.Status().Details.Causes {
		list = append(list, cause{indices.ReplaceAllString(c.Field, ""), value.ReplaceAllString(c.Message, "")})
	}
	return list
}

// TestEveryRuleHasATest compares the table with the generated definition: a
// rule without a row, or a row without its rule, is an error.
func TestEveryRuleHasATest(t *testing.T) {
	tested := map[cause]int{}
	for path, node := range schema(t).walk("") {
		for _, v := range node.Validations {
			at := strings.TrimPrefix(path+v.FieldPath, ".")
			n := 0
			for i, r := range rules {
				if r.field == at && strings.HasPrefix(v.Message, r.says) {
					tested[cause{r.field, r.says}] = i
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d rows for %s: %s", n, at, v.Message)
			}
		}
	}
	for _, r := range rules {
		if _, ok := tested[cause{r.field, r.says}]; !ok {
			t.Errorf("no such rule: %s: %s", r.field, r.says)
		}
	}
}
