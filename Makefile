# Two commands matter: `make run` and `make test`. Both do all the set-up on a fresh machine with Python >= 3.11.

PYTHON ?= python3
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
VENV := .venv
BIN := $(VENV)/bin

# Without a provider key and without a configuration there is nobody to ask: then, and only then, answers are simulated.
KEYS := $(GEMINI_API_KEY)$(OPENAI_API_KEY)$(ANTHROPIC_API_KEY)$(VERTEX_API_KEY)$(AZURE_OPENAI_API_KEY)
CONFIGURED := $(or $(KEYS),$(PORTICO_CONFIG),$(wildcard portico.toml))
SIMULATE := $(if $(CONFIGURED),,--simulate)

.PHONY: run test lint types format lock docs rows conformance compile bench bench-tools clients clients-lock sdk-tools browser-tools soak fuzz chaos profile evidence clean help
.DEFAULT_GOAL := help

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(VENV)/run.stamp ## Serve on http://127.0.0.1:8080 (simulated without a provider key)
	@exec $(BIN)/portico serve $(if $(PORT),--port $(PORT)) $(SIMULATE)

test: $(VENV)/dev.stamp lint types ## Everything that is checked: style, types, walls, tests
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

lint: $(VENV)/dev.stamp ## Style and walls
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(VENV)/dev.stamp ## mypy --strict over src and tests
	$(BIN)/mypy

format: $(VENV)/dev.stamp ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev.stamp bench-tools ## Measure Portico and its peers on this machine (20 minutes; OPTIONS="--quick" for a look)
	@$(BIN)/python -m bench $(OPTIONS)

clients: $(VENV)/dev.stamp ## Try real clients on a running Portico (half an hour; OPTIONS="--only openclaw,codex" for some)
	@$(MAKE) --no-print-directory sdk-tools || echo "Without them the clients that come from npm are left out."
	@$(BIN)/python -m clients $(OPTIONS)

soak: $(VENV)/dev.stamp ## Two minutes of mixed load, memory watched (MINUTES=60 for an hour)
	@$(BIN)/python -m bench.soak $(if $(MINUTES),--minutes $(MINUTES))

fuzz: $(VENV)/dev.stamp ## A minute of damaged HTTP for both edges (MINUTES=60 for an hour)
	@PYTHONPATH=tests $(BIN)/python -m edges.fuzz $(if $(MINUTES),--minutes $(MINUTES))

chaos: $(VENV)/dev.stamp ## A minute of calls, kills and outages, and whether the books add up (MINUTES=10 OPTIONS="--postgres --seed 7")
	@PYTHONPATH=tests $(BIN)/python -m books.chaos $(if $(MINUTES),--minutes $(MINUTES)) $(OPTIONS)

profile: $(VENV)/dev.stamp bench-tools ## Where Portico's CPU time goes (WORKLOAD=agent, event, image …; OPTIONS="--calls")
	@$(BIN)/python -m bench.profile $(or $(WORKLOAD),small) $(OPTIONS)

bench-tools:
	@which nginx wrk taskset >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -qy --no-install-recommends nginx-light wrk util-linux; } || \
	  { echo "The bench needs nginx and wrk: sudo apt-get install nginx-light wrk"; exit 1; }

browser-tools:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -qy --no-install-recommends chromium fonts-noto-cjk; } || \
	  { echo "The tests of the pages need a browser: sudo apt-get install chromium fonts-noto-cjk"; exit 1; }

sdk-tools:
	@which node npm >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -qy --no-install-recommends nodejs npm; } || \
	  { echo "SDKs and clients from npm need Node.js and npm: sudo apt-get install nodejs npm"; exit 1; }

compile: $(VENV)/dev.stamp ## Optional: the translation as extension modules, about 1.6 times as fast (needs a C compiler)
	PORTICO_COMPILE=1 $(BIN)/python setup.py --quiet build_ext --inplace

docs: $(VENV)/dev.stamp ## Write the pages that are made of the code's own tables
	@$(BIN)/python docs/generate.py

rows: $(VENV)/dev.stamp ## Write down which tests prove which row of the specification
	@PYTHONPATH=tests $(BIN)/python -m rows

conformance: $(VENV)/dev.stamp ## Judge the laws over all recordings, and write down what the page on conformance tells
	@mkdir -p src/portico/web/data
	PORTICO_CONFORMANCE=src/portico/web/data/conformance.json $(BIN)/python -m pytest -q tests/laws/test_requests.py tests/laws/test_answers.py tests/laws/test_passing.py tests/laws/test_models.py

evidence: $(VENV)/dev.stamp ## Make the sample receipt and the race that pages show, with a running Portico (half a minute)
	@$(BIN)/python -m bench.evidence

lock: $(VENV)/dev.stamp ## Pin dependencies anew, with hashes and without addresses
	$(BIN)/python -m pip install --quiet uv
	for name in run dev langchain-openai langchain-anthropic langchain-google; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	    --no-strip-extras --upgrade --custom-compile-command "make lock" requirements/$$name.in --output-file requirements/$$name.txt; \
	done

clients-lock: $(VENV)/dev.stamp sdk-tools ## Pin what the clients need anew (ONLY="llm openclaw": these), with hashes and without addresses
	$(BIN)/python -m pip install --quiet uv
	for name in $(or $(ONLY),$(notdir $(basename $(wildcard clients/pip/*.in)) $(wildcard clients/npm/*))); do \
	  if [ -e clients/pip/$$name.in ]; then \
	    $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	      --no-strip-extras --upgrade --custom-compile-command "make clients-lock" clients/pip/$$name.in --output-file clients/pip/$$name.txt; \
	  else \
	    npm install --prefix clients/npm/$$name --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund --loglevel error; \
	  fi; \
	done

clean: ## Remove what was made here (not your data in .portico)
	find src -name '*.so' -delete
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Portico needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run.stamp
