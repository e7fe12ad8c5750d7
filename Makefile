# Two commands for everyone: `make run` shows the product on a simulated city, `make test` proves it.
# Both set up everything they need in .venv; nothing is installed outside of this folder.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9

export DAGSTER_DISABLE_TELEMETRY := yes
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1

.PHONY: setup spark java postgresql chromium run test lint types sql unit bench clean

setup: $(BIN)/.ready

# A Debian without python3-venv has no pip to put into .venv: it is installed where we may, else said.
# Bytecode is compiled once: where Python may not keep it, each command would compile its imports anew (6 s).
$(BIN)/.ready: pyproject.toml uv.lock
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv >/dev/null 2>&1 \
	  || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null && $(PYTHON) -m venv .venv; } \
	  || { echo "make: python3 -m venv failed; install the package python3-venv and try again" >&2; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv sync --frozen --inexact --quiet --compile-bytecode
	@touch $@

run: setup
	$(BIN)/zhaoren demo

test: setup lint types sql unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

sql: setup
	$(BIN)/sqlfluff lint --processes 2 dbt_project/models dbt_project/tests

# Two processes: tests that share a city or a server stay in one of them (tests/conftest.py).
unit: setup spark postgresql chromium
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

# The tests of database sources start a server of their own; without Debian's package they are skipped and say so.
# No cluster of Debian's is made with it.
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
	  SUDO=; test "$$(id -u)" = 0 || SUDO="sudo -n"; \
	  $$SUDO mkdir -p /etc/postgresql-common/createcluster.d \
	  && echo "create_main_cluster = false" | $$SUDO tee /etc/postgresql-common/createcluster.d/tests.conf >/dev/null \
	  && $$SUDO apt-get update -qq \
	  && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql >/dev/null; \
	} || echo "make: PostgreSQL cannot be installed here; the tests of database sources will be skipped" >&2

# The tests of pages look at them as a browser renders them; without Debian's package they are skipped and say so.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  SUDO=; test "$$(id -u)" = 0 || SUDO="sudo -n"; \
	  $$SUDO apt-get update -qq \
	  && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null; \
	} || echo "make: Chromium cannot be installed here; the tests of pages in a browser will be skipped" >&2

# The tests of the second engine run where PySpark and Java are; elsewhere they are skipped and say so.
spark: setup java
	@$(BIN)/uv sync --frozen --inexact --quiet --group spark \
	  || echo "make: PySpark cannot be installed here; the tests of Spark will be skipped" >&2

java:
	@command -v java >/dev/null || { \
	  SUDO=; test "$$(id -u)" = 0 || SUDO="sudo -n"; \
	  $$SUDO apt-get update -qq \
	  && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends openjdk-17-jre-headless >/dev/null \
	  || $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends default-jre-headless >/dev/null; \
	} || echo "make: Java cannot be installed here; the tests of Spark will be skipped" >&2

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv var
