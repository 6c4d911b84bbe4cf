# Sluice. Go and make are enough for everything here; what else is needed is
# built from pinned modules on first use, and says so.

TOOL := hack/tools/run

# The modules below the root one. Tests run in those under test/ and hack/ that
# have any.
MODULES := $(sort $(patsubst %/go.mod,%,$(wildcard hack/*/go.mod hack/*/*/go.mod test/*/go.mod)))
TESTED := $(sort $(patsubst %/,%,$(dir $(wildcard $(addsuffix /*_test.go,$(MODULES))))))

.DEFAULT_GOAL := help
.PHONY: help build manifests generate docs fmt lint verify controlplane test fuzz demo kill-matrix crash-matrix soak soak-sum explore historic chaos crowd bench incident screenshots image sbom release run clean

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## compile bin/sluice, bin/cloudrun-simulator and bin/kubectl-sluice
	CGO_ENABLED=0 go build -trimpath -o bin/sluice .
	CGO_ENABLED=0 go build -trimpath -o bin/cloudrun-simulator ./cmd/cloudrun-simulator
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/kubectl-sluice ./cmd/kubectl-sluice
	cp cmd/kubectl-sluice/kubectl_complete-sluice bin/

manifests: ## write the CRDs and the manager's role from the markers in the Go code, alerts and boards as objects, and the Helm chart
	$(TOOL) controller-gen crd paths=./api/... output:crd:dir=config/crd/bases
	$(TOOL) controller-gen rbac:roleName=sluice-manager paths=./controllers/... output:rbac:dir=config/rbac
	{ printf '# Made of rules.yaml by make manifests.\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: sluice\nspec:\n'; \
		sed -e '/^ *#/d' -e 's/^\(.\)/  \1/' config/prometheus/rules.yaml; } > config/prometheus/prometheusrule.yaml
	go run ./hack/monitoring
	go run -C hack/chart .

generate: ## write the deep copies of the API types
	$(TOOL) controller-gen object paths=./api/...

docs: ## write the reference of the API types from their comments
	$(TOOL) crd-ref-docs --log-level=WARN --renderer=markdown --source-path=api/v1alpha1 \
		--config=hack/tools/crd-ref-docs/config.yaml --templates-dir=hack/tools/crd-ref-docs/templates \
		--output-path=docs/reference/v1alpha1.md

fmt: ## format the Go code the way the linter wants it
	$(TOOL) golangci-lint fmt ./...

lint: ## look for mistakes, for breaches of the layering and of the Kubernetes API's conventions
	$(TOOL) golangci-lint run ./...
	$(TOOL) golangci-lint run -c .golangci-kal.yml ./api/...
	go run ./hack/checks

verify: ## check that go.mod files, formatting and generated files are current and the tree is clean
	hack/checks/verify $(MODULES)

controlplane: ## get kube-apiserver and etcd, about six minutes when they must be built, once
	@echo "looking for kube-apiserver and etcd"
	@go run ./test/controlplane/fetch

test: controlplane ## run all tests, with a real kube-apiserver and etcd; RACE=1 adds the race detector
	@echo "testing the root module; packages report as they finish, the first one after a few minutes the first time"
	go test $(if $(RACE),-race) ./...
	@set -e; for module in $(TESTED); do echo "testing $$module"; (cd $$module && go test ./...); done

FUZZTIME ?= 30s

fuzz: ## fuzz each target in turn for 30 seconds; FUZZTIME=5m for longer; an input that fails is kept as a seed
	@echo "compiling the tests; a minute or two the first time"
	hack/fuzz $(FUZZTIME) ./api/... ./controllers/... ./internal/...

demo: ## play a rollout against a simulated cloud; HEADLESS=1 asserts instead of showing
	@echo "compiling the demo; a minute or two the first time"
	@go build -o bin/demo ./hack/demo
	@bin/demo $(if $(HEADLESS),-headless)

kill-matrix: ## kill the controller at every call it makes, and the manager at every cloud write; under 20 minutes
	@echo "compiling the kill matrix; a minute or two the first time"
	go run ./hack/killmatrix

crash-matrix: ## let simulated controllers die at every call they make, and at every pair of calls; an hour and more, SCENE=name plays one, PAIRS=40 one of forty pairs, PAIRS=0 none
	go run ./hack/crashmatrix $(if $(SCENE),-scene '$(SCENE)') $(if $(PAIRS),-pairs $(PAIRS))

explore: ## look at every state of a rollout with FAULTS=1 faults and ACTS=1 acts of a person; GIT=1 with spec.template, KEPT=1 with Config Connector
	go run ./hack/explorer -faults $(or $(FAULTS),1) -acts $(or $(ACTS),1) $(if $(GIT),-git) $(if $(KEPT),-kept)

chaos: controlplane ## break what is around the manager: processes, watches, the apiserver, etcd, people; ten minutes and more
	@echo "compiling the manager; a minute or two the first time"
	go test ./test/chaos -timeout 60m -all -v $(if $(RUN),-run '$(RUN)')

soak: ## play seeded rollouts against adversaries; ROLLOUTS=n from SEED=s on, TWICE=1 compares two plays of each, KEPT=1 with Config Connector, BURST=1 with a neighbour's burst, REPORTS=dir goes on where it ended
	@go build -o bin/soak ./hack/soak
	bin/soak -rollouts $(or $(ROLLOUTS),10000) -from $(or $(SEED),1) $(if $(TWICE),-twice) $(if $(KEPT),-kept) $(if $(BURST),-burst) $(if $(REPORTS),-reports '$(REPORTS)')

soak-sum: ## add up what soak left in REPORTS=dir, or in several of them
	@go build -o bin/soak ./hack/soak
	bin/soak -sum $(wildcard $(addsuffix /*.json,$(REPORTS)))

historic: ## compile historic bugs into the product, one after another, and see that each is found; writes docs/reliability.md; goes on where it ended, ONLY=regexp for a part
	@echo "compiling each bug and what looks for it; about four minutes, a few more the first time"
	go run ./hack/historic -write docs/reliability.md -results .cache/historic.json $(if $(ONLY),-only '$(ONLY)')

crowd: controlplane ## measure how long a way back takes among OTHERS=2000 rollouts, and in a storm of 429; about half an hour
	@echo "compiling the crowd; a minute or two the first time"
	go run ./hack/crowd $(if $(OTHERS),-others $(OTHERS))

bench: ## measure the judgement and write it into docs/evidence.md, about ten minutes; QUICK=1 plays little and writes nothing
	@echo "compiling the bench; a minute or two the first time"
	go run ./hack/bench $(if $(QUICK),-quick,-write docs/evidence.md)

incident: ## play the incident and what mends it, draw docs/images; QUICK=1 plays a tenth of the measurements
	@echo "compiling the incident; a minute or two the first time"
	go run ./hack/incident -images docs/images $(if $(QUICK),-trials 50 -worlds 1)

screenshots: ## take the pictures of the page for the documents; wants chromium
	go test ./test/page -count=1 -run Picture -pictures "$(CURDIR)/docs/images"

IMAGE := go run -C hack/image . -source=../.. -out=../../dist

image: ## build the manager's image into dist/; PUSH=REGISTRY/sluice:TAG publishes it too, KO_DOCKER_REPO=REGISTRY/sluice one over distroless instead
ifdef KO_DOCKER_REPO
	$(TOOL) ko build --bare .
else
	$(IMAGE) $(if $(PUSH),-arch=amd64,arm64 -push=$(PUSH))
endif

BINARY ?= dist/sluice-amd64
SBOM := $(TOOL) cyclonedx-gomod bin -json -std -noserial -notimestamp $(if $(VERSION),-version=v$(VERSION))

sbom: ## print a bill of materials, as CycloneDX JSON, of BINARY=dist/sluice-amd64, which make image leaves there
	@$(SBOM) $(BINARY)

RELEASED := github.com/sluice-rollouts/sluice/internal/version.released
PLATFORMS := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64

release: ## build what a release has into dist/, of VERSION=1.2.3; REPOSITORY=REGISTRY/sluice publishes the image
	@test -n "$(VERSION)" || { echo "release: say which, VERSION=1.2.3" >&2; exit 2; }
	rm -rf dist
	$(IMAGE) -arch=amd64,arm64 -version=v$(VERSION) -tag=sluice:$(VERSION) $(if $(REPOSITORY),-push=$(REPOSITORY):$(VERSION))
	go run -C hack/chart . -package=../../dist -version=$(VERSION) -image=$(if $(REPOSITORY),$$(cat dist/image-reference),sluice:$(VERSION))
	set -e; for arch in amd64 arm64; do $(SBOM) dist/sluice-$$arch > dist/sluice-$$arch.cdx.json; done
	set -e; for platform in $(PLATFORMS); do CGO_ENABLED=0 GOOS=$${platform%-*} GOARCH=$${platform#*-} \
		go build -trimpath -buildvcs=false -ldflags='-s -w -buildid= -X $(RELEASED)=v$(VERSION)' -o dist/kubectl-sluice-$$platform ./cmd/kubectl-sluice; done
	cd dist && sha256sum *.tar *.tgz *.json kubectl-sluice-* > SHA256SUMS

clean: ## remove what was built here; kube-apiserver and etcd stay in the user's cache
	rm -rf bin dist .cache

run: ## run the manager against the cluster of the current kubeconfig and the real Google APIs
	go run . $(ARGS)
