# `make run` and `make test` are all one needs to know; `make help` lists the rest.
# Plain enough for GNU make 3.81, the one macOS brings along.

PYTHON ?= python3
ARGS   ?=
PY     := .venv/bin/python
FITS   := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
WITH   := Python 3.11, 3.12 or 3.13
REMEDY := Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13; or: make PYTHON=/path/to/python3.12

# A .venv whose Python went away (an upgrade, a removed version) is made anew: its stamps then depend on a phony target.
GONE   := $(shell $(PY) -c '$(FITS)' 2>/dev/null || echo gone)

# Some machines forbid Python to keep what it has compiled; each start of each process would then take twice as long.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run worker test test-long test-clients clients check bench soak lock clean gone

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1~\2/p' Makefile | awk -F'~' '{ printf "%-17s %s\n", $$1, $$2 }'

run: .venv/.runtime ## install what is missing and start everything at http://127.0.0.1:8000 (HOST, PORT)
	@exec $(PY) server.py

worker: .venv/.runtime ## a worker of its own, without a page: for WORKER=off, or for more of them
	@exec $(PY) worker.py

test: .venv/.dev ## install what is missing and run the suite (ARGS="-k cancel" goes to pytest)
	@exec $(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: .venv/.dev ## the long forms of the tests: minutes of outage, more of the same (the suite leaves them out)
	@exec $(PY) -m pytest -n 2 --dist load -m long -rP $(ARGS)

test-clients: .venv/.dev .venv-clients/.clients ## the companies' own clients against the emulators (the suite skips these without `make clients`)
	@exec $(PY) -m pytest tests/clients $(ARGS)

clients: .venv-clients/.clients ## install the companies' own clients, into .venv-clients/
	@:

check: .venv/.dev ## formatter, linter and type checker, as CI runs them
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy

bench: .venv/.dev ## the benchmarks: ratios as a table, JSON under bench/results/
	@exec $(PY) -m bench $(ARGS)

soak: .venv/.dev ## half an hour of steady load, and whether anything grows (ARGS="--minutes 3")
	@exec $(PY) -m bench.soak $(ARGS)

lock: ## compile requirements*.in into requirements*.lock (ARGS=--upgrade takes newer versions)
	@$(call with_python,.ci/install.py lock $(ARGS))

clean: ## remove the installed environment and the caches; keeps .data/ and .env
	rm -rf .venv .venv-clients .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.data/*' -prune -exec rm -rf {} +

# The development environment contains the runtime one, so one .venv serves both and never shrinks by `make run`.
.venv/.runtime: requirements.lock $(GONE)
	@$(call with_python,.ci/install.py $(if $(wildcard .venv/.dev),dev,runtime))

.venv/.dev: requirements-dev.lock $(GONE)
	@$(call with_python,.ci/install.py dev)

# The companies' clients want versions of their own, and nothing here runs on them.
.venv-clients/.clients: requirements-clients.lock $(GONE)
	@$(call with_python,.ci/install.py clients)

define with_python
for p in "$(PYTHON)" python3.13 python3.12 python3.11; do \
	if "$$p" -c '$(FITS)' 2>/dev/null; then exec "$$p" $(1); fi; \
done; \
echo "Kinora needs $(WITH); $(PYTHON) is $$("$(PYTHON)" -V 2>/dev/null || echo missing). $(REMEDY)" >&2; exit 1
endef
