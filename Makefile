# The commands of the project; `make help` lists them. Each sets up what it needs.

PYTHON ?= python3
DEMO_FLAGS ?=
PYTEST_FLAGS ?=
# Worker processes of pytest; 0 runs the tests in one process, for a debugger.
WORKERS ?= 2

# The default interpreter owns .venv; another one, or the wheel, has its own.
ifeq ($(origin PYTHON),file)
SUFFIX :=
else
SUFFIX := -$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
endif
VENV ?= .venv$(SUFFIX)
WHEEL_VENV ?= .venv-wheel$(SUFFIX)
BOUNDS_VENV ?= .venv-bounds$(SUFFIX)

PIP = -m pip --disable-pip-version-check --no-input --quiet
LOCK = requirements/dev.txt
SOURCES = pyproject.toml src/coroguard/_version.py $(LOCK)
# Compiling all of it takes half of the time, and most of it is never imported.
INSTALL = $(PIP) install --no-compile --constraint $(LOCK)
EXTRAS = demo,gate,load,otel,prometheus,sentry

# In CI the tests import the built wheel, elsewhere the source tree.
TEST_VENV = $(if $(CI),$(WHEEL_VENV),$(VENV))

# A moved folder or a removed interpreter leaves a dead environment behind: without
# its stamps it is made anew.
$(foreach venv,$(VENV) $(WHEEL_VENV) $(BOUNDS_VENV),$(shell \
  test -x $(venv)/bin/python && grep -qsxF '$(CURDIR)' $(venv)/.made \
  || rm -f $(venv)/.made $(venv)/.demo $(venv)/.dev $(venv)/.wheel $(venv)/.bounds))

# Some images forbid to keep what Python compiles; then each run compiles all tests anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help check demo test fast lint format-check style mypy pyright typing format
.PHONY: bench docs pythons bounds lock wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile

# The parts run side by side; a make that can keeps the output of each together.
check: $(VENV)/.dev ## check format, style and types, and run the fast tests
	@$(MAKE) --no-print-directory --keep-going --jobs=4 \
	  $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) \
	  format-check style mypy typing fast

demo: $(VENV)/.demo ## run the chat service, its outage, the guard, and the gates
	@$(VENV)/bin/coroguard demo $(DEMO_FLAGS)
	@$(VENV)/bin/coroguard gate --category critical

# A file stays on one worker: its tests may share servers, and the last gate judges
# the gates before it.
test: $(TEST_VENV)/$(if $(CI),.wheel,.dev) ## run every test
	@$(TEST_VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_FLAGS)

fast: $(VENV)/.dev ## run the tests that need no service and no minute
	@env -u CI $(VENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal \
	  -m 'not slow' \
	  tests/unit tests/architecture $(PYTEST_FLAGS)

lint: format-check style mypy pyright ## check formatting, style, and types with both checkers

format-check: $(VENV)/.dev
	@$(VENV)/bin/python -m ruff format --check .

style: $(VENV)/.dev
	@$(VENV)/bin/python -m ruff check .

mypy: $(VENV)/.dev
	@$(VENV)/bin/python -m mypy

# Of all sources, which takes pyright most of a minute; mypy keeps what it knows.
pyright: $(VENV)/.dev
	@$(VENV)/bin/python -m pyright --pythonpath $(VENV)/bin/python

# Of the public API, whose types are promised for both checkers.
typing: $(VENV)/.dev
	@$(VENV)/bin/python -m pyright --pythonpath $(VENV)/bin/python tests/typing

format: $(VENV)/.dev ## rewrite what ruff can rewrite
	@$(VENV)/bin/python -m ruff format .
	@$(VENV)/bin/python -m ruff check --fix .

bench: $(VENV)/.dev ## measure the guard beside its peers
	@$(VENV)/bin/python -m benchmarks --pythons

docs: $(VENV)/.dev ## build the documentation into docs/_build; warnings are errors
	@$(VENV)/bin/python -m sphinx -q -W --keep-going -n -b html docs docs/_build
	@echo "docs/_build/index.html"

pythons: ## run the fast tests on every other Python that can be had here
	@.ci/pythons

bounds: $(BOUNDS_VENV)/.bounds ## run the core's tests on the lowest allowed versions
	@$(BOUNDS_VENV)/bin/python -m pip list | grep -E '^(pydantic|typeguard|wrapt) '
	@env -u CI $(BOUNDS_VENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal \
	  -m 'not slow' tests/unit/test_*.py $(PYTEST_FLAGS)

lock: $(VENV)/.made ## choose the newest development tools and write them down
	@$(VENV)/bin/python .ci/lock.py $(LOCK)

wheel: $(VENV)/.made ## build the wheel into dist/
	@rm -rf dist
	@$(VENV)/bin/python $(PIP) wheel --no-deps --wheel-dir dist .

clean: ## remove everything that was made here
	rm -rf .venv .venv-* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.demo: $(SOURCES) $(VENV)/.made
	@echo "installing coroguard and what its demo needs into $(VENV)"
	@$(VENV)/bin/python $(INSTALL) --editable '.[demo,gate]' --group test
	@touch $@

$(VENV)/.dev: $(SOURCES) $(VENV)/.made
	@echo "installing coroguard and its development tools into $(VENV)"
	@$(VENV)/bin/python $(INSTALL) --editable '.[$(EXTRAS)]' --group dev
	@touch $@ $(VENV)/.demo

$(BOUNDS_VENV)/.bounds: $(SOURCES) $(BOUNDS_VENV)/.made
	@$(BOUNDS_VENV)/bin/python $(PIP) install packaging
	@$(BOUNDS_VENV)/bin/python .ci/bounds.py > $(BOUNDS_VENV)/bounds.txt
	@$(BOUNDS_VENV)/bin/python $(PIP) install --no-compile --editable '.[cli]' --group test \
	  --constraint $(BOUNDS_VENV)/bounds.txt
	@touch $@

# Always built anew: a test against yesterday's wheel proves nothing.
$(WHEEL_VENV)/.wheel: wheel $(WHEEL_VENV)/.made
	@echo "installing the built wheel and its test tools into $(WHEEL_VENV)"
	@$(WHEEL_VENV)/bin/python $(INSTALL) --group dev "$$(ls dist/*.whl)[$(EXTRAS)]"
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
