# make demo    the whole city on this machine, then open the address it prints
# make test    everything but the chaos; needs mosquitto, influxd and chromium, says so where one is missing
# make chaos   a quarter of an hour of kill -9, cut networks and a day without the database; prints what was lost (nothing)
# make check   formatting, lint, types
# make bench   ours beside what one would pick instead, as ratios
# make docs    docs/ as a site, in site/

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Where .ci/influxd puts the database that the tests meet.
export PATH := $(HOME)/.cache/hoflicht/bin:/usr/sbin:$(PATH)
# The tests start our own programs by the hundred: without bytecode on disk each would compile itself anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test chaos check bench docs clean

demo: $(VENV)/.demo
	$(BIN)/hoflicht demo $(ARGS)

# More workers than cores: the tests wait for brokers, databases and ptys more than half of their time.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 6 --dist worksteal -m "not chaos" $(ARGS)

chaos: $(VENV)/.dev
	$(BIN)/python -m pytest -m chaos -s $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright

bench: $(VENV)/.dev
	$(BIN)/python -m bench

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) demo-data dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hoflicht needs Python 3.11 or newer; make PYTHON=python3.12 picks another")'
	$(PYTHON) -m venv $(VENV)
	touch $@

# The stamps say what is installed; a changed pyproject.toml installs again.
$(VENV)/.demo: $(VENV)/.venv pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[demo]'
	touch $@

$(VENV)/.dev: $(VENV)/.venv pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.demo
