# make demo    set up, index the sample clips, ask "siren and train"
# make test    set up, then lint, types, the rooms' import direction, and the whole test suite
PYTHON ?= python3
VENV ?= .venv
PROFILE ?= auto
BIN := $(VENV)/bin
DEMO := .demo/library

.PHONY: help setup setup-test demo test lint types rooms bench clean
help:
	@sed -n 's/^# //p' Makefile; echo "also: make setup lint types rooms bench clean (PYTHON=, VENV=, PROFILE=cpu|cuda)"

setup:
	@$(PYTHON) requirements/install.py --profile $(PROFILE) --venv $(VENV) --system ffmpeg

setup-test:
	@$(PYTHON) requirements/install.py --profile $(PROFILE) --venv $(VENV) --system ffmpeg espeak-ng chromium

demo: setup
	@$(BIN)/pesearch index sample_media --model starter --library $(DEMO)
	@echo; echo '$$ pesearch query "siren and train"'
	@$(BIN)/pesearch query "siren and train" -k 1 --library $(DEMO)
	@echo
	@echo "Ask more:   $(BIN)/pesearch query \"a dog barking\" --library $(DEMO)"
	@echo "            $(BIN)/pesearch query \"mind the gap\" --speech --library $(DEMO)"
	@echo "Browser:    $(BIN)/pesearch app --library $(DEMO)"

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

rooms: setup
	@$(BIN)/lint-imports

test: setup-test lint types rooms
	@OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder --durations=15

bench: setup
	@$(BIN)/python -m benchmarks.starter && $(BIN)/python -m benchmarks.encoding

clean:
	@rm -rf $(VENV) .demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
