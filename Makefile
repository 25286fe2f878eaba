# Needs Go and Node. What the tests need besides, `make test` installs on Debian.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
.NOTPARALLEL:

golangci := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
npm := npm --prefix web
phase := scripts/phase.sh
withservers := go run ./internal/servertest/withservers

.PHONY: help run demo build portal test test-portal chart test-go proofs fuzz-short lint format generate verify vuln bench chaos chaos-quick chaos-mutants tools clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: portal ## Run Sidecard in one process with a simulated LiveSupporti; data in ./data
	@exec go run ./cmd/sidecard run

demo: ## Show one chat from sign-up to the agent's screen, hands off, and exit
	@exec go run ./cmd/sidecard demo

build: portal ## Build the programs into build/bin
	@mkdir -p build/bin
	@CGO_ENABLED=0 $(phase) "build" go build -trimpath -o build/bin/ ./cmd/api ./cmd/worker ./cmd/sidecard

test: tools test-portal chart test-go proofs chaos-quick ## Run all tests on private servers: portal, browser story, chart, Go, proofs, and a little chaos

test-portal: tools portal ## Run the portal's checks and the story in a real browser
	@$(phase) "portal checks" $(npm) run --silent check
	@$(phase) "browser story" $(npm) run --silent story

chart: ## Lint, render and decode the Helm chart (the first time builds Helm: 3 minutes)
	@$(phase) "chart" go test -C deploy -vet=off -count=1 -shuffle=on ./... # uncached: it reads files outside its module

test-go: portal ## Run the Go tests with the race detector, but for the proofs, which are many and run without
	@$(phase) "Go tests" $(withservers) go test -race -shuffle=on -timeout 20m -skip '^TestProof' ./...

proofs: tools ## Try every operation as everybody who may not, on both databases, and count the cases
	@mkdir -p build && rm -f build/proofs.json
	@failed=0; \
	PROOFS="$(CURDIR)/build/proofs.json" $(phase) "proofs" $(withservers) go test -count=1 -run '^TestProof' ./internal/api || failed=1; \
	awk -F '[":,{}]+' '/^\{/ { \
			printf "  %-52s %6d cases %4d failures\n", $$3, $$5, $$7; bad += $$7; split($$3, at, "/"); \
			if (at[1] ~ /^TestProof(NobodyReachesAnotherTenant|RolesAndScopes)$$/) refused[at[2]] += $$5 \
		} \
		END { for (database in refused) if (refused[database] < 1500) few = 1; exit bad || few || !("postgres" in refused) || !("sqlite" in refused) }' \
		build/proofs.json || failed=1; \
	exit $$failed

fuzz-short: portal ## Give every fuzz target a moment; FUZZTIME (30s each) and FUZZ choose
	@$(phase) "fuzz" scripts/fuzz-short.sh

lint: web/node_modules/.package-lock.json ## Check style and common mistakes (the first time builds the linter: 3 minutes)
	@$(phase) "Go lint" $(golangci) run
	@cd deploy && ../$(phase) "chart lint" $(golangci) run
	@$(phase) "portal lint" $(npm) run --silent lint

format: ## Format the Go code
	@$(golangci) fmt
	@cd deploy && $(golangci) fmt

generate: web/node_modules/.package-lock.json ## Generate code and documents from their sources
	@$(phase) "generate Go" go generate ./...
	@$(phase) "generate TypeScript" $(npm) run --silent generate

verify: ## Check everything: generated files, style, tests, fuzz targets
	@scripts/check-generated.sh
	@$(MAKE) lint
	@$(MAKE) test
	@$(MAKE) fuzz-short

vuln: ## Look libraries up in the lists of known vulnerabilities; needs the internet
	@go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...
	@$(npm) audit --omit=dev

bench: tools portal ## Measure on private PostgreSQL and Redis
	@go run ./bench
	@go run ./bench -scenario hostile

chaos: tools portal ## Break everything while chats run, and prove that nothing is lost or doubled; ROWS SEED SEEDS CHATS RATE HOLD choose
	@exec go run ./bench/chaos -rows "$(or $(ROWS),all)" $(if $(SEED),-seed $(SEED)) $(if $(SEEDS),-seeds $(SEEDS)) \
		$(if $(CHATS),-chats $(CHATS)) $(if $(RATE),-rate $(RATE)) $(if $(HOLD),-hold $(HOLD))

chaos-quick: tools portal ## The same, three minutes of it
	@$(phase) "chaos" go run ./bench/chaos -rows quick -out build/chaos-quick.json

chaos-mutants: tools portal ## Break Sidecard on purpose, flaw by flaw, and show which row of the chaos catches it; FLAWS chooses
	@exec go run ./bench/chaos -mutants $(if $(FLAWS),-flaw "$(FLAWS)") -out build/chaos-mutants.json

tools: ## Install what the tests need and this machine lacks (Debian)
	@scripts/ensure-tools.sh

clean: ## Remove what was built; ./data stays
	@rm -rf build web/node_modules coverage*
	@find web/dist -mindepth 1 ! -name .gitkeep -delete

portal: web/dist/index.html ## Build the portal when its sources are newer
	@:

# Folders count as sources, too: they are newer when a file was deleted. Vite writes index.html at every build.
web/dist/index.html: web/node_modules/.package-lock.json $(shell find web/src web/public) \
		$(wildcard web/*.html web/*.ts web/*.json)
	@$(phase) "portal" $(npm) run --silent build -- --logLevel warn

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@$(phase) "portal dependencies" $(npm) ci --no-audit --no-fund --loglevel error
	@touch $@
