# Every target works on a fresh checkout: the virtual environment is made when it is missing.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: demo test test-full lint format bench clean

$(READY): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[test,lint]'
	touch $@

demo: $(READY)
	$(BIN)/keras-tl demo

test: $(READY)
	$(BIN)/python -m pytest -n 2

test-full: $(READY)
	$(BIN)/python -m pytest -n 2 -m 'slow or not slow'

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python benchmarks/head_training.py

clean:
	rm -rf $(VENV) build *.egg-info
