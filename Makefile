# Every target sets itself up: a machine needs only python3 (3.10 or later), git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup test lint format lock clean

$(VENV)/ready: requirements/dev.txt tap-hubspot-email-events/pyproject.toml target-amplitude/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable ./tap-hubspot-email-events --editable ./target-amplitude
	touch $@

setup: $(VENV)/ready

test: setup
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
