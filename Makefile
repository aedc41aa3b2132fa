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

.PHONY: help setup demo dev test test-full check format docs lock wheel-test fuzz kill bench studies default-faces default-model default-movements default-words clean
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

$(LIGHT)/.done: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vlfau needs Python 3.11 or newer; call: make PYTHON=python3.12")'
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
SYNTH := --clips 4 --frames 4 --size 192 --workers 2

default-faces: dev
	$(VLFAU) synth $(FACES)/held-out --preset wide --subjects 120 $(SYNTH) --seed 501
	$(VLFAU) synth $(FACES)/wild --preset wild --subjects 120 $(SYNTH) --seed 502
	$(VLFAU) synth $(FACES)/test --preset wide --subjects 120 $(SYNTH) --seed 503 --pairs --regions

default-model: default-faces ## Rebuild the default model: faces, training, calibration, scores, bundle (hours; call again to resume)
	$(VLFAU) synth $(FACES)/wide --preset wide --subjects 8000 --clips 4 --frames 3 --size 192 --workers 2 --seed 500
	$(VLFAU) train configs/default-vision.yaml --continue
	$(VLFAU) train configs/default-joint.yaml --continue
	rm -rf runs/default-joint/calibrated
	$(VLFAU) calibrate runs/default-joint/checkpoint $(FACES)/held-out/manifest.csv runs/default-joint/calibrated
	$(VLFAU) train configs/default.yaml --continue
	$(MAKE) default-movements START=runs/default/checkpoint

START := runs/default-words/checkpoint
MOVEMENTS := runs/default-movements

default-movements: default-faces ## Train the movements branch of the default model on START=... (half an hour, mostly drawing; resumable)
	$(VLFAU) synth $(FACES)/posed --preset posed --subjects 700 --clips 4 --frames 1 --size 192 --workers 2 --seed 504
	$(VLFAU) synth $(FACES)/words --preset wide --subjects 2400 --clips 4 --frames 3 --size 192 --workers 2 --seed 500
	$(FULL)/bin/python scripts/teach_movements.py $(START) $(MOVEMENTS)/checkpoint configs/default-operating-points.csv \
	  $(FACES)/posed/manifest.csv $(FACES)/words/manifest.csv
	rm -rf $(MOVEMENTS)/bundle $(MOVEMENTS)/tested
	$(VLFAU) export $(MOVEMENTS)/checkpoint $(MOVEMENTS)/tested --name default
	$(VLFAU) evaluate $(MOVEMENTS)/tested $(FACES)/test/manifest.csv --fold all --frames 300 --out $(MOVEMENTS)/test
	$(VLFAU) evaluate $(MOVEMENTS)/tested $(FACES)/wild/manifest.csv --fold all --frames 300 --out $(MOVEMENTS)/wild
	$(FULL)/bin/python scripts/model_card.py $(MOVEMENTS) $(FACES) docs/model-card.md docs/images/default-failures.jpg
	$(VLFAU) export $(MOVEMENTS)/checkpoint $(MOVEMENTS)/bundle --name default --note "learned from synthetic faces only" --card docs/model-card.md

default-words: default-faces ## Retrain the default model's captions on the bundle's vision half (half an hour after the faces; resumable)
	$(VLFAU) synth $(FACES)/words --preset wide --subjects 2400 --clips 4 --frames 3 --size 192 --workers 2 --seed 500
	$(VLFAU) train configs/default-words.yaml --continue
	rm -rf runs/default-words/bundle
	$(VLFAU) evaluate runs/default-words/checkpoint $(FACES)/test/manifest.csv --fold all --frames 300 --out runs/default-words/test
	$(VLFAU) evaluate runs/default-words/checkpoint $(FACES)/wild/manifest.csv --fold all --frames 300 --out runs/default-words/wild
	$(FULL)/bin/python scripts/model_card.py runs/default-words $(FACES) docs/model-card.md docs/images/default-failures.jpg
	$(VLFAU) export runs/default-words/checkpoint runs/default-words/bundle --name default --note "learned from synthetic faces only" --card docs/model-card.md

clean: ## Remove the environments, demo/, builds and caches
	rm -rf $(LIGHT) $(FULL) demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
