# Every command of the project. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# A python3.13 that runs: a version manager's shim may be first on PATH and refuse.
PYTHON ?= $(shell for p in python3.13 /usr/bin/python3.13 /usr/local/bin/python3.13; do "$$p" -c '' 2>/dev/null && echo "$$p" && break; done)
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
# What ./darkroom needs for stacks on AWS; it makes this environment on its first call.
COMMANDS := .local/venvs/commands
# What the local stack needs; where .venv exists, which has more, it runs there.
STACK := .local/venvs/stack
AUDIT := .local/venvs/audit
PIP_INSTALL := $(RUN) -m pip install --quiet --no-compile --require-hashes
# uv does not read pip's configuration: where that names an index, uv may fail, and pip takes its place.
UV_INSTALL := $(VENV)/bin/uv pip install --quiet --system-certs --python $(RUN) --require-hashes
PYTEST := $(RUN) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
# Folders with the packages of extensions, separated by colons.
empty :=
PACKAGES := $(subst $(empty) $(empty),:,$(wildcard extensions/*/src))
# Folders without a test that `make test` runs: it does not import them.
ALL_SLOW := tests/attacks tests/peers tests/stack/isolated tests/execution_environment
export PYTHONDONTWRITEBYTECODE =
# What the first tests need at once, on the processor that lint leaves idle.
INSTALL_FOR_TESTS := $(RUN) -m local.tool_venvs & $(RUN) -m cli.models.fetch_models --to .local/models --for endpoint &

.PHONY: help run stop test test-fast test-all mutation lint format bench cost chaos gameday attacks conformance audit edge alarms docs site replay lock release api-calls clean

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*##/\1|/p' Makefile | awk -F'|' '{printf "  make %-11s %s\n", $$1, $$2}'

define MAKE_VENV
@test -n "$(PYTHON)" || { echo "Darkroom needs Python 3.13 (python3.13 on PATH, or make PYTHON=/path/to/python3.13)"; exit 1; }
@echo "Installing the Python packages of $< into $(@D) ..."
@$(PYTHON) -m venv $(@D) || { echo "python3.13 has no venv module; on Debian: apt-get install python3.13-venv"; exit 1; }
endef

$(COMMANDS)/.ready: requirements-commands.txt
$(AUDIT)/.ready: requirements-audit.txt
$(COMMANDS)/.ready $(AUDIT)/.ready:
	$(MAKE_VENV)
	@$(@D)/bin/python -m pip install --quiet --no-compile --require-hashes -r $<
	@touch $@

# Of the packages in requirements-samples.txt only files are read.
$(STACK)/.ready: requirements-stack.txt requirements-samples.txt requirements-uv.txt
	$(MAKE_VENV)
	@$(@D)/bin/python -m pip install --quiet --no-compile --require-hashes -r requirements-uv.txt
	@for file in requirements-stack.txt requirements-samples.txt; do \
	$(@D)/bin/uv pip install --quiet --system-certs --python $(@D)/bin/python --require-hashes --no-deps -r $$file || \
	$(@D)/bin/python -m pip install --quiet --no-compile --require-hashes --no-deps -r $$file || exit 1; done
	@touch $@

$(READY): requirements-dev.txt requirements-uv.txt pyproject.toml
	$(MAKE_VENV)
	@$(PIP_INSTALL) -r requirements-uv.txt
	@$(UV_INSTALL) -r requirements-dev.txt || $(PIP_INSTALL) -r requirements-dev.txt
	@$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: $(if $(wildcard $(READY)),$(READY),$(STACK)/.ready)  ## Start Darkroom on this machine (Ctrl-C ends it)
	@./darkroom up

stop:  ## End a stack that was started detached
	@./darkroom stop

test-fast: $(READY)  ## Pure tests only: no process, no network; half a minute
	@$(RUN) -m pytest -m "not slow" tests/unit $(wildcard extensions/*/tests/unit)

test: $(READY) $(COMMANDS)/.ready  ## Lint, then the tests that CI runs, in under ten minutes on two cores
	@$(INSTALL_FOR_TESTS) $(MAKE) --no-print-directory lint && wait && $(PYTEST) -m "not slow" $(ALL_SLOW:%=--ignore=%)

test-all: lint $(COMMANDS)/.ready  ## Lint, then every test with many Hypothesis examples; chaos and game day in short
	@$(PYTEST) --hypothesis-profile=thorough

mutation: $(READY)  ## Score the tests by mutants: PACKAGE=plan, steps, ingest or edge; SAMPLE=150 SEED=n
	@$(RUN) -m tools.mutation $(or $(PACKAGE),plan) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

lint: $(READY)  ## ruff, mypy, import contracts, the word list, and the workflows of GitHub
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@MYPYPATH=$(PACKAGES) $(VENV)/bin/mypy --exclude 'extensions/[^/]+/(src|tests)/'
	@$(if $(PACKAGES),MYPYPATH=$(PACKAGES) $(VENV)/bin/mypy $(foreach one,$(patsubst %/__init__.py,%,$(wildcard extensions/*/src/*/__init__.py)),-p $(notdir $(one))))
	@PYTHONPATH=layers/darkroom:layers/pipeline:layers/dialects:layers/analysis:$(PACKAGES):. $(VENV)/bin/lint-imports --no-cache --no-logo
	@$(RUN) -m tools.terms
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	@$(VENV)/bin/zizmor --offline --quiet --no-progress --persona pedantic .github

format: $(READY)  ## Format the Python code
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(READY)  ## Measure all of docs/explanation/performance.md, with peers where they install; RUNS=3 for three runs
	@$(RUN) -m bench --runs $(or $(RUNS),1)

cost: $(READY)  ## What a million requests cost, from measured durations, beside AWS's own solution; OPTIONS=--print
	@$(RUN) -m bench.cost misses $(OPTIONS)

chaos: $(READY)  ## 500 uploads with failing AWS calls and killed workers; SEED=n repeats a run
	@$(RUN) -m chaos $(if $(SEED),--seed $(SEED))

gameday: $(READY)  ## Inject failures into a separate stack; verify alarms, remedies and runbooks; ONLY=name runs one
	@$(RUN) -m gameday $(if $(ONLY),--only $(ONLY))

attacks: $(READY)  ## Attack a stack of its own by tables and fuzzers; counts requests and stored objects
	@$(PYTEST) --hypothesis-profile=thorough tests/attacks

conformance: $(READY)  ## The official validator of the IIIF Image API 2.1 and 3.0, on a stack of its own
	@$(RUN) -m pytest -v tests/stack/isolated/test_conformance.py

audit: $(AUDIT)/.ready  ## Look up known vulnerabilities of all locked Python packages (.github/audit-exceptions.txt)
	@status=0; for file in $$(git ls-files '*requirements*.txt'); do echo "$$file"; \
	$(AUDIT)/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes --requirement "$$file" \
	$$(sed -n 's/^\([A-Za-z]*-[0-9A-Za-z-]*\).*/--ignore-vuln \1/p' .github/audit-exceptions.txt) || status=1; done; exit $$status

edge: $(READY)  ## Write the minified edge function into template.yaml
	@$(RUN) functions/edge/build.py

alarms: $(READY)  ## Write stacks/alarms.yaml, and what template.yaml derives from alarms and functions
	@$(RUN) -m observability
	@$(RUN) -m bench.cost idle > /dev/null
	@$(RUN) -m bench.cost month > /dev/null
	@$(RUN) -m tools.default_deployment --write 2> /dev/null

docs: $(READY)  ## Write the generated reference pages and modules
	@$(RUN) -m tools.small_models
	@$(RUN) -m tools.gallery
	@$(RUN) -m tools.documents
	@$(RUN) -m tools.deployer_actions

site: $(READY)  ## Build the documentation into site/; a broken link fails
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build
	@echo "site/index.html"

replay: $(READY)  ## Show stored images to two variants of the running stack; A=main B=canary, OPTIONS=...
	@./darkroom replay --variants $(or $(A),main) $(or $(B),canary) $(OPTIONS)

lock: $(READY)  ## Compile the requirements files from pyproject.toml
	@$(RUN) -m tools.lock $(OPTIONS)

release: $(READY)  ## Build the release VERSION=1.2.3 into dist/darkroom-VERSION, for both processors
	@$(RUN) -m tools.release "$(VERSION)" --to "dist/darkroom-$(VERSION)"

api-calls: $(READY)  ## Compare API calls of the running stack's functions with the table; OPTIONS=--write adds them
	@$(RUN) -m tools.api_calls $(OPTIONS)

clean:  ## Remove what builds and runs left behind
	@rm -rf .aws-sam .local dist site $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
