.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## create .venv with everything, from hash-pinned requirements

$(VENV)/.ready: tests/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r tests/requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## run the whole pipeline against the simulated platform, and show what came out
	$(BIN)/caidan demo --once

test: setup ## run the tests
	$(BIN)/pytest -n 4 --dist worksteal

bench: bench-door bench-replies bench-tables bench-answers ## all benchmarks; each writes build/bench/<part>.json

bench-door: setup ## what a durable push costs, beside a bare Flask view and the common way (Linux)
	$(BIN)/python -m tests.benchmarks.door
	$(BIN)/python -m tests.benchmarks.backlog

bench-replies: setup ## what rules, a slow handler and a dead webhook at once cost door and tables (Linux)
	$(BIN)/python -m tests.benchmarks.replies

bench-tables: setup ## what recording costs, beside raw COPY, plain inserts and the common way (Linux)
	$(BIN)/python -m tests.benchmarks.tables

bench-answers: setup ## what questions to the rollups cost, beside the same asked of the events (Linux)
	$(BIN)/python -m tests.benchmarks.answers

chaos: setup ## kill, freeze, fill and empty each broker under load, and count what came through (Linux)
	$(BIN)/python -m tests.chaos

million: setup ## a million events while workers are killed and the database restarts; then count them (Linux)
	$(BIN)/python -m tests.chaos.million

year: setup ## a year of rotations in virtual time, with faults, crashes and people in between
	$(BIN)/python -m tests.chaos.year

rotation: setup ## another menu each minute while workers and beats are killed, for ten minutes (Linux)
	$(BIN)/python -m tests.chaos.rotation

lint: setup ## ruff, mypy and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: ## resolve the requirements anew (needs uv)
	uv pip compile $(LOCK) --all-extras pyproject.toml -o deploy/requirements.txt
	uv pip compile $(LOCK) --all-extras --group dev pyproject.toml -o tests/requirements.txt
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade

.PHONY: help setup demo test bench bench-door bench-replies bench-tables bench-answers chaos million year rotation lint lock
