# Every target sets itself up: a machine needs only python3 (3.10 or later), git and make.
PYTHON ?= python3
BIN := .venv/bin
MELTANO := .venv-meltano/bin/meltano
DAGSTER := .meltano/utilities/dagster/venv
PACKAGES := tap-hubspot-email-events target-amplitude transforms
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-compile
# On all cores, and where PYTHONDONTWRITEBYTECODE would let every start compile anew.
COMPILE := -m compileall -q -j 0

# uv, with which Meltano installs plugins, does not read pip's settings.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
export PYTHONPATH := tests
export MELTANO_SEND_ANONYMOUS_USAGE_STATS := false
export MELTANO_CLI_DISABLE_VERSION_CHECK := true
# While a plugin runs, Meltano keeps its settings, secrets included, in a file.
PRIVATE := umask 077 &&

.PHONY: help demo test test-hostile test-guides test-orchestrate test-machines test-interoperability simulate mutants live bench docs pictures dist lint lint-dagster format sandbox setup setup-meltano setup-both setup-dagster setup-celery setup-kubernetes lock clean

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup-both ## Move events through the real pipeline, between local services.
	$(PRIVATE) $(BIN)/python -m demo --meltano $(MELTANO)

PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal

test: setup-both ## Run every test but those of the five targets below.
	$(PYTEST) --ignore tests/hostile --ignore tests/orchestrate --ignore tests/interoperability --ignore tests/docs/test_guides.py $(PYTEST_ARGS)

test-hostile: setup-both ## Run the tests with peers, files and standard streams that mean harm.
	$(PYTEST) tests/hostile $(PYTEST_ARGS)

test-guides: setup-both ## Run every command of the guides, in a copy of this folder beside the sandbox.
	$(PRIVATE) $(BIN)/python -m pytest -rP --log-level=INFO tests/docs/test_guides.py $(PYTEST_ARGS)

test-interoperability: setup-both .venv-bench/ready .venv-interoperability/ready ## Run the tests with databases, S3 and other people's plugins.
	$(PYTEST) tests/interoperability $(PYTEST_ARGS)

test-orchestrate: setup-both ## Run the tests of schedulers: cron, a workflow and, where set up, Dagster.
	$(PYTEST) tests/orchestrate --ignore tests/orchestrate/test_machines.py $(PYTEST_ARGS)

test-machines: setup-both setup-dagster setup-celery .venv-interoperability/ready ## Load months over two machines while each part of them fails; MONTHS=24 EVENTS=100000 for more.
	$(PYTEST) -rP --log-level=INFO tests/orchestrate/test_machines.py $(PYTEST_ARGS)

simulate: setup-both ## Simulate fortnights of hourly runs under faults; SIMULATE_ARGS="--seeds 1-10" for more.
	$(PRIVATE) $(BIN)/python -m simulation $(SIMULATE_ARGS)

mutants: .venv-mutants/ready ## Change the critical parts bit by bit, to see whether tests notice; see CONTRIBUTING.md.
	.venv-mutants/bin/python -m mutation $(MUTANTS_ARGS)

live: setup ## Try live accounts, with credentials from the environment; see CONTRIBUTING.md.
	$(PRIVATE) LIVE=1 $(BIN)/python -m pytest -v tests/live $(PYTEST_ARGS)

bench: setup-both .venv-bench/ready ## Measure speed and write docs/benchmarks.md.
	$(PRIVATE) $(BIN)/python -m bench $(BENCH_ARGS)

docs: setup ## Write anew what is made from the settings: tables, meltano.yml, Meltano Hub files.
	$(BIN)/python -m docs.generate

pictures: setup-both ## Take the pictures in docs: of the first run and, with Debian's chromium and chromium-driver, of the history.
	$(PRIVATE) $(BIN)/python -m demo.pictures

dist: PACKAGE ?= tap-hubspot-email-events target-amplitude
dist: setup ## Build both packages, or the one named by PACKAGE, ready for PyPI.
	rm -rf dist
	for package in $(PACKAGE); do $(BIN)/python -m build --no-isolation --outdir dist $$package || exit 1; done
	$(BIN)/python -m twine check --strict dist/*

lint: setup ## Check style, types and which way imports run.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo
	for part in $(PACKAGES) 'hub docs tests'; do $(BIN)/mypy $$part || exit 1; done

lint-dagster: setup setup-dagster ## Check the types of what runs on Dagster, in its environment.
	$(BIN)/mypy --python-executable $(DAGSTER)/bin/python orchestrate/dagster

format: setup ## Put style right.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sandbox: setup-both ## Serve a local HubSpot and a local Amplitude until interrupted.
	$(BIN)/python -m sandbox --hubspot-port 8701 --amplitude-port 8702 --events 20000 \
	  --arriving-per-hour 10800 --export-delay-hours -1 --hints

# The empty commands keep make from saying that there is nothing to be done.
setup: .venv/ready ## Install what tests and tools need, in .venv.
	@:

setup-meltano: .venv-meltano/ready ## Install Meltano and the plugins, in .venv-meltano and .meltano.
	@:

# Side by side, since an installation keeps one core busy.
setup-both:
	@$(MAKE) --no-print-directory --jobs 2 setup setup-meltano

setup-dagster: $(DAGSTER)/ready ## Install Dagster, in .meltano.

setup-celery setup-kubernetes: setup-%: $(DAGSTER)/%
	@:

.venv/ready: requirements/dev.txt $(PACKAGES:%=%/pyproject.toml)
	@test -d target-amplitude/target_amplitude/common || { echo 'The folders named common have to be symbolic links: in a folder that can hold them, run `git config core.symlinks true`, then `git checkout .`.' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python $(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation $(PACKAGES:%=--editable ./%)
	$(BIN)/python $(COMPILE) .venv/lib $(PACKAGES)
	@touch $@

# Not of meltano.yml, which guides ask to change: Meltano itself installs a plugin whose `pip_url` has changed.
.venv-meltano/ready: requirements/meltano.txt requirements/plugins.txt $(PACKAGES:%=%/pyproject.toml)
	$(PYTHON) -m venv .venv-meltano
	.venv-meltano/bin/python $(PIP_INSTALL) --require-hashes -r requirements/meltano.txt
	UV_CONSTRAINT=$(CURDIR)/requirements/plugins.txt $(MELTANO) install tap-hubspot-email-events target-amplitude mapper-email-events
	.venv-meltano/bin/python $(COMPILE) .venv-meltano/lib .meltano/*/*/venv/lib
	@touch $@

$(DAGSTER)/ready: requirements/dagster.txt orchestrate/dagster/pyproject.toml orchestrate/dagster.meltano.yml | .venv-meltano/ready
	UV_CONSTRAINT=$(CURDIR)/requirements/dagster.txt $(MELTANO) install dagster
	$(DAGSTER)/bin/python $(COMPILE) $(DAGSTER)/lib
	@touch $@

# For many machines: the same environment with an extra of orchestrate/dagster.
$(DAGSTER)/celery $(DAGSTER)/kubernetes: $(DAGSTER)/ready
	.venv-meltano/bin/uv pip install --quiet --python $(DAGSTER)/bin/python --constraint requirements/dagster.txt --editable 'orchestrate/dagster[$(@F)]'
	$(DAGSTER)/bin/python $(COMPILE) $(DAGSTER)/lib
	@touch $@

# Environments of other people's software, each with its lock file.
.venv-%/ready: requirements/%.txt
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python $(PIP_INSTALL) --require-hashes -r $<
	.venv-$*/bin/python $(COMPILE) .venv-$*/lib
	@touch $@

lock: setup-meltano ## Resolve the development requirements anew.
	for name in bench build container dagster dev interoperability meltano mutants plugins; do \
	  .venv-meltano/bin/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.10 \
	    requirements/$$name.in --output-file requirements/$$name.txt || exit 1; \
	done

clean: ## Remove everything that these targets have installed or written.
	rm -rf .venv .venv-meltano .venv-bench .venv-mutants .venv-interoperability .mutants .meltano .mypy_cache .pytest_cache .ruff_cache output
