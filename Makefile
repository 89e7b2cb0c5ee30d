# make demo    set up what the program needs, index a few clips, and search them
# make check   set up, then lint, types, import contracts and the quick tests
# make test    the same with the whole test suite
# make check-install   does it install with each Python? build the wheel, install it as a user does, and use it
PYTHON ?= python3
VENV ?= .venv
PROFILE ?= auto
WORKERS ?= 3  # on 2 cores: tests wait for servers, browsers and FFmpeg in a fifth of their time
BIN := $(VENV)/bin
DEMO := .demo
unexport PYTHONDONTWRITEBYTECODE  # the many processes of the tests would compile our modules again
PYTEST := $(BIN)/pytest -q -n $(WORKERS)

.PHONY: help setup setup-demo setup-test demo check check-install test lint types contracts bench clean
help:
	@sed -n 's/^# //p' Makefile; echo "also: make setup lint types contracts bench clean (PYTHON=, VENV=, PROFILE=cpu|cuda, WORKERS=3)"

setup:
	@$(PYTHON) requirements/install.py --profile $(PROFILE) --venv $(VENV) --system ffmpeg

setup-demo:
	@$(PYTHON) requirements/install.py --profile $(PROFILE) --venv $(VENV) --system ffmpeg --runtime-only

setup-test:
	@$(PYTHON) requirements/install.py --profile $(PROFILE) --venv $(VENV) --system ffmpeg espeak-ng chromium curl

demo: setup-demo
	@$(BIN)/pesearch demo --keep $(DEMO)

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python tests/prose.py

types: setup
	@$(BIN)/mypy

contracts: setup
	@$(BIN)/lint-imports

check: setup-test lint types contracts
	@OMP_NUM_THREADS=1 $(PYTEST) -m "not slow"

test: setup-test lint types contracts
	@OMP_NUM_THREADS=1 $(PYTEST) --durations=15

check-install: setup
	@$(BIN)/python requirements/resolve.py && $(BIN)/python -m tests.packaging.check_install

bench: setup
	@$(BIN)/python -m benchmarks.starter && $(BIN)/python -m benchmarks.encoding

clean:
	@rm -rf $(VENV) $(DEMO) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
