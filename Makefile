# What one types; `make help` lists it. Each target sets up what it needs by itself.

PYTHON ?= python3
DEMO_FLAGS ?=
PYTEST_FLAGS ?=

# The default interpreter owns .venv; another one, or the wheel, has its own.
ifeq ($(origin PYTHON),file)
SUFFIX :=
else
SUFFIX := -$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
endif
VENV ?= .venv$(SUFFIX)
WHEEL_VENV ?= .venv-wheel$(SUFFIX)

PIP = -m pip --disable-pip-version-check --no-input --quiet
SOURCES = pyproject.toml src/coroguard/_version.py

# In CI the tests import the built wheel, elsewhere the source tree.
TEST_VENV = $(if $(CI),$(WHEEL_VENV),$(VENV))

# A moved folder or a removed interpreter leaves a dead environment behind: without
# its stamps it is made anew.
$(foreach venv,$(VENV) $(WHEEL_VENV),$(shell \
  test -x $(venv)/bin/python && grep -qsxF '$(CURDIR)' $(venv)/.made \
  || rm -f $(venv)/.made $(venv)/.demo $(venv)/.dev $(venv)/.wheel))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format bench wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-7s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.demo ## run the chat service, its outage, the guard, and the gates
	@$(VENV)/bin/coroguard demo $(DEMO_FLAGS)
	@$(VENV)/bin/coroguard gate --category critical

test: $(TEST_VENV)/$(if $(CI),.wheel,.dev) ## run every test
	@$(TEST_VENV)/bin/python -m pytest $(PYTEST_FLAGS)

lint: $(VENV)/.dev ## check formatting, style and types
	@$(VENV)/bin/python -m ruff format --check .
	@$(VENV)/bin/python -m ruff check .
	@$(VENV)/bin/python -m mypy
	@$(VENV)/bin/python -m pyright --pythonpath $(VENV)/bin/python

format: $(VENV)/.dev ## rewrite what ruff can rewrite
	@$(VENV)/bin/python -m ruff format .
	@$(VENV)/bin/python -m ruff check --fix .

bench: $(VENV)/.dev ## measure the guard beside its peers
	@$(VENV)/bin/python -m benchmarks

wheel: $(VENV)/.made ## build the wheel into dist/
	@rm -rf dist
	@$(VENV)/bin/python $(PIP) wheel --no-deps --wheel-dir dist .

clean: ## remove everything that was made here
	rm -rf .venv .venv-* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.demo: $(SOURCES) $(VENV)/.made
	@echo "installing coroguard and what its demo needs into $(VENV)"
	@$(VENV)/bin/python $(PIP) install --editable '.[demo,gate]' --group test
	@touch $@

$(VENV)/.dev: $(SOURCES) $(VENV)/.made
	@echo "installing coroguard and its development tools into $(VENV)"
	@$(VENV)/bin/python $(PIP) install --editable '.[demo,gate]' --group dev
	@touch $@ $(VENV)/.demo

# Always built anew: a test against yesterday's wheel proves nothing.
$(WHEEL_VENV)/.wheel: wheel $(WHEEL_VENV)/.made
	@echo "installing the built wheel and its test tools into $(WHEEL_VENV)"
	@$(WHEEL_VENV)/bin/python $(PIP) install --group dev "$$(ls dist/*.whl)[demo,gate]"
	@$(WHEEL_VENV)/bin/python $(PIP) install --force-reinstall --no-deps dist/*.whl
	@touch $@

# Dependency groups need pip 25.1; a new environment starts with the interpreter's own.
%/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "coroguard needs Python 3.11 or newer, and '$(PYTHON)' is: $$($(PYTHON) -V 2>&1 | tail -n 1)"; \
	  echo "  fix: make $(or $(MAKECMDGOALS),help) PYTHON=/path/to/python3.12"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments: it lacks venv or ensurepip"; \
	  echo "  fix: apt install python3-venv (Debian, Ubuntu), or" \
	    "make $(or $(MAKECMDGOALS),help) PYTHON=/path/to/python3.12"; exit 1; } >&2
	@$(PYTHON) -m venv --clear $*
	@$*/bin/python $(PIP) install 'pip>=25.1'
	@echo '$(CURDIR)' > $@
