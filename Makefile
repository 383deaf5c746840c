# The commands of the house; `make` alone lists them. Needs git, make and a Python from 3.11 on.
PYTHON ?= $(shell .ci/find-python)
export WORKERS ?= 2
MAIN := .venv/bin/python

# One thread each: tests run side by side, and sums then have one order.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: help demo test test-all check wheel benchmarks calibrate clean

help: ## List these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 12

demo: .venv-demo/installed ## Check, fit, forecast, decide and report on runs we ship
	.venv-demo/bin/bayescale demo

test: .venv/installed ## The tests of every change, at most 300 s on 2 cores
	$(MAIN) -m pytest -n $(WORKERS) -m "not mcmc and not slow and not calibration"

test-all: test ## Those, the slow ones, and the suite on a second Python where there is one
	.ci/test-rest

check: .venv/installed ## Lint, format and types
	$(MAIN) -m ruff check .
	$(MAIN) -m ruff format --check .
	$(MAIN) -m mypy

wheel: .venv/installed ## Build dist/bayescale-*.whl
	$(MAIN) -m build --no-isolation --wheel

benchmarks: .venv/installed ## Time what the design promises
	$(MAIN) benchmarks/timings.py
	$(MAIN) benchmarks/stacked_training.py

calibrate: .venv/installed ## The calibration tests, with those that take minutes
	$(MAIN) -m pytest -n $(WORKERS) --dist worksteal -m calibration

clean: ## Remove environments, caches and what builds and demos wrote
	rm -rf .venv .venv-other .venv-demo build dist bayescale-demo .*_cache

.venv/installed: pyproject.toml constraints.txt
	.ci/environment .venv "$(PYTHON)" dev,harness,cluster

.venv-demo/installed: pyproject.toml constraints.txt
	.ci/environment .venv-demo "$(PYTHON)" ""
