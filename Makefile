# KIS: see README.md. Needs Python 3.11 or newer and make; all else is set up here.

# The first interpreter that is new enough. Executed, not only looked up: a name
# on PATH may be a launcher of a version that is not installed.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$candidate" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo "$$candidate" && break; done)

# uv of this machine when it is 0.9 or newer, else one of our own from PyPI.
OWN_UV := .uv/bin/uv
UV := $(shell uv --version 2>/dev/null | grep -Eq '^uv (0\.(9|[1-9][0-9])|[1-9])' && \
	echo uv || echo $(OWN_UV))

# Use the interpreter that is there; never download one.
export UV_PYTHON_DOWNLOADS := never
# Where a company's proxy signs anew, the system's store is what has its certificate.
export UV_SYSTEM_CERTS ?= 1

define require_python
@test -n "$(PYTHON)" || { echo "Python 3.11 이상이 필요합니다: PATH에 없습니다." >&2; \
	echo "KIS needs Python 3.11 or newer: there is none on PATH." >&2; exit 1; }
endef

BIN := .venv/bin
SYNCED := .venv/.synced

DRILLS := $(addprefix tests/integration/test_,key_drill.py backup_drill.py swaps.py crash.py revocation.py)
CONTRACT := access bad_input body_limits error_shapes errors idempotency openapi runbook

.DEFAULT_GOAL := help
.PHONY: help setup run test test-contract test-integration drill lint bench soak clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1	/p' $(MAKEFILE_LIST)

setup: $(SYNCED) ## set up .venv with the locked dependencies

run: setup ## start the service on 127.0.0.1:3000
	@exec $(BIN)/kis-backend serve

test: lint ## run every check and every test
	-$(BIN)/python -m tests.browser
	$(BIN)/pytest -n auto

test-contract: setup ## run the tests of what HTTP promises: documents, errors, keys, the runbook
	$(BIN)/pytest -n auto $(CONTRACT:%=tests/integration/test_%.py)

test-integration: setup ## run the tests against the running service
	$(BIN)/pytest -n auto tests/integration

drill: setup ## swap, rotate and revoke under load, kill at fifty instants: the figures of the drills
	$(BIN)/pytest --drill -v --durations=0 $(DRILLS)

lint: setup ## check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## measure durable estimates per second into bench/RESULTS.md
	$(BIN)/python -m bench

soak: setup ## twenty minutes of estimates while all goes on around them, into bench/SOAK.md
	$(BIN)/python -m bench.soak

reliability: setup ## power cuts, kills, moments and a full disk, into docs/reliability.md
	$(BIN)/python -m bench.reliability

clean: ## remove what make made; KIS_HOME stays
	rm -rf .venv .uv dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment for run and test, so that neither undoes the other. The stamp
# makes the next `make run` immediate.
$(SYNCED): uv.lock pyproject.toml $(filter $(OWN_UV),$(UV))
	$(require_python)
	$(UV) sync --locked --python "$(PYTHON)"
	@touch $@

$(OWN_UV):
	$(require_python)
	"$(PYTHON)" -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
