# `make` lists the commands.
PYTHON ?= python3
LIGHT := .venv
FULL := .venv-dev
PIP_FLAGS := --quiet --disable-pip-version-check
SOURCES := src tests scripts benchmarks studies examples
# One process per CPU. Each runs neighbouring tests, which share fixtures; an idle process takes tests from a busy one.
PARALLEL := --numprocesses logical --maxprocesses 8 --dist worksteal
# These start servers, clusters and browsers, and count processes.
ALONE := tests/app tests/batch tests/kill

.PHONY: help setup demo dev test test-full check format docs lock wheel-test fuzz kill bench studies default-faces default-model clean
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

$(LIGHT)/.done: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vlfau needs Python 3.11 or newer; call: make PYTHON=python3.12")'
	@echo 'Installing prediction into $(LIGHT): eight packages and what they need, 480 MB on Linux.'
	$(PYTHON) -m venv $(LIGHT)
	$(LIGHT)/bin/python -m pip install $(PIP_FLAGS) -e .
	touch $@

$(FULL)/.done: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vlfau needs Python 3.11 or newer; call: make PYTHON=python3.12")'
	@echo 'Installing prediction, training and tests into $(FULL): 6.6 GB on Linux, most of it torch for NVIDIA GPUs,'
	@echo 'so it takes as long as the download and a few minutes more. Without such a GPU, stop here (Ctrl-C) and call first:'
	@echo '  $(PYTHON) -m venv $(FULL) && $(FULL)/bin/pip install torch torchvision --index-url https://download.pytorch.org/whl/cpu'
	$(PYTHON) -m venv $(FULL)
	$(FULL)/bin/python -m pip install $(PIP_FLAGS) -e '.[train,synthetic,tables,plots,int8,live,excel,heic,dev]'
	touch $@

setup: $(LIGHT)/.done ## Install prediction into .venv (no torch)

demo: setup ## Describe the face in a photograph; results go to demo/
	$(LIGHT)/bin/vlfau predict examples/astronaut.png --out demo

dev: $(FULL)/.done ## Install training and tests into .venv-dev (with torch; 6.6 GB on Linux)

test: dev ## Run the fast tests (5 minutes on 2 CPUs)
	@echo 'Running the fast tests: about 5 minutes on 2 CPUs.'
	$(FULL)/bin/python -m pytest $(PARALLEL)

test-full: dev ## Run all tests, including slow ones and those of the web page and archives
	$(FULL)/bin/python -m pip install $(PIP_FLAGS) -e '.[app,batch,openvino,browser]'
	$(FULL)/bin/python -m pytest -m '' $(PARALLEL) $(addprefix --ignore=,$(ALONE))
	$(FULL)/bin/python -m pytest -m '' $(ALONE)

check: dev ## Check style, types, imports and licences, then run the fast tests
	$(FULL)/bin/ruff check $(SOURCES)
	$(FULL)/bin/ruff format --check $(SOURCES)
	$(FULL)/bin/mypy
	$(FULL)/bin/lint-imports --no-cache --no-logo
	$(FULL)/bin/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	$(FULL)/bin/pip-licenses --summary
	$(FULL)/bin/python -m pytest $(PARALLEL)

format: dev ## Format the code
	$(FULL)/bin/ruff check --fix $(SOURCES)
	$(FULL)/bin/ruff format $(SOURCES)

docs: setup ## Build the documentation and the API reference as a site in build/site
	$(LIGHT)/bin/python -m pip install $(PIP_FLAGS) -e '.[docs]'
	$(LIGHT)/bin/python scripts/docs_site.py

lock: dev ## Update requirements/dev.lock to the newest releases within the bounds, with checksums
	$(FULL)/bin/python -m pip install $(PIP_FLAGS) 'uv>=0.9,<1'
	$(FULL)/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
	  $(addprefix --extra ,train synthetic tables plots app batch openvino int8 live excel heic browser dev) \
	  --custom-compile-command 'make lock' --output-file requirements/dev.lock pyproject.toml

wheel-test: setup ## Build and check the package, install it into an empty environment, and use it there
	$(LIGHT)/bin/python -m pip install $(PIP_FLAGS) -e '.[release]'
	$(LIGHT)/bin/python scripts/wheel_test.py

COUNT := 10000
SEED := 0

fuzz: dev ## Feed COUNT=10000 damaged files to every file reader; failures are kept in build/fuzz
	$(FULL)/bin/python -m tests.fuzz --count $(COUNT) --seed $(SEED)

KILLS := 20

kill: dev ## Kill every long command KILLS=20 times, resume it, and compare the results (an hour or more)
	$(FULL)/bin/python -m pip install $(PIP_FLAGS) -e '.[batch]'
	VLFAU_KILLS=$(KILLS) $(FULL)/bin/python -m pytest -m '' tests/kill

bench: dev ## Run the benchmarks; tables go to benchmarks/results/
	$(FULL)/bin/python -m pip install $(PIP_FLAGS) -e '.[batch,openvino]'
	$(FULL)/bin/python -m benchmarks

studies: dev ## Study quality on drawn faces and photographs; tables go to studies/results/
	$(FULL)/bin/python -m studies

VLFAU := $(FULL)/bin/vlfau
FACES := data/default
SYNTH := --size 192 --workers 2 --stills
TRAINED := runs/default

default-faces: dev
	$(VLFAU) synth $(FACES)/posed --preset posed --subjects 1400 --clips 4 --frames 2 $(SYNTH) --seed 504
	$(VLFAU) synth $(FACES)/words --preset all-aus --subjects 2400 --clips 4 --frames 3 $(SYNTH) --seed 500
	$(VLFAU) synth $(FACES)/held-out --preset all-aus --subjects 120 --clips 4 --frames 4 $(SYNTH) --seed 501
	$(VLFAU) synth $(FACES)/wild --preset wild --subjects 120 --clips 4 --frames 4 $(SYNTH) --seed 502
	$(VLFAU) synth $(FACES)/test --preset all-aus --subjects 120 --clips 4 --frames 4 $(SYNTH) --seed 503 --pairs --regions

# Without these, the C library returns large tensors to the system after every step, which takes most of the time.
default-model: export MALLOC_MMAP_THRESHOLD_ := 4294967296
default-model: export MALLOC_TRIM_THRESHOLD_ := 42949672960
default-model: default-faces ## Rebuild the default model: faces, training, scores, card, bundle (two hours on 2 CPUs; call again to resume)
	$(VLFAU) train configs/default-vision.yaml --continue
	$(FULL)/bin/python scripts/teach_movements.py runs/default-vision/checkpoint runs/default-movements/checkpoint \
	  configs/default-operating-points.csv $(FACES)/posed/manifest.csv $(FACES)/words/manifest.csv
	$(VLFAU) train configs/default.yaml --continue
	rm -rf $(TRAINED)/bundle
	$(VLFAU) evaluate $(TRAINED)/checkpoint $(FACES)/test/manifest.csv --fold all --frames 300 --out $(TRAINED)/test
	$(VLFAU) evaluate $(TRAINED)/checkpoint $(FACES)/wild/manifest.csv --fold all --frames 300 --out $(TRAINED)/wild
	$(FULL)/bin/python scripts/model_card.py $(TRAINED) $(FACES) docs/model-card.md docs/images/default-failures.jpg
	$(VLFAU) export $(TRAINED)/checkpoint $(TRAINED)/bundle --name default --note "learned from synthetic faces only" --card docs/model-card.md
	$(FULL)/bin/python scripts/measure_responses.py $(TRAINED)/bundle

clean: ## Remove the environments, demo/, builds and caches
	rm -rf $(LIGHT) $(FULL) demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
