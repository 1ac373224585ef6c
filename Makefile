# `make` lists the targets. Every target sets up what it needs; a second run does not.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
VENV_TOOLS ?= .venv-tools
VENV_TFLITE ?= .venv-tflite
PYTHON_DAEMON := $(VENV)/bin/python
PYTHON_TOOLS := $(VENV_TOOLS)/bin/python
PIP := -m pip --disable-pip-version-check --quiet install
# Passed on to the command of demo, bench, test, test-tools, install and uninstall.
ARGS ?=
# Without the --ignore of the suites that have a target of their own; for the tools also without a
# plugin that a dependency brings and nothing uses.
PYTEST_ALL := -o addopts="-ra --strict-markers --strict-config"
PYTEST_TOOLS := $(PYTEST_ALL) -p no:anyio
BOARD_PACKAGES := mmdebstrap qemu-system-arm qemu-utils qemu-user-static gcc-12-aarch64-linux-gnu make \
	kmod e2fsprogs zstd
# For models: a directory with the folders mnist, fsdd and noise, or generated data, which teaches
# nothing but shows in a minute or two that every stage works; it leaves the shipped bundle alone.
DATA ?=
SMOKE ?=
SOURCES = $(if $(SMOKE),--smoke,--data $(DATA))
RUN ?= runs/$(if $(SMOKE),smoke,live)
BUNDLE ?= $(if $(SMOKE),$(RUN)/bundle,models/avdigits)

ifeq ($(filter models,$(MAKECMDGOALS))$(DATA)$(SMOKE),models)
$(error where are the data sets? make models DATA=DIRECTORY, or SMOKE=1 for generated data)
endif

.PHONY: help demo test check bench models docs simulate drills fuzz test-tools test-tflite test-systemd test-userland test-board install uninstall clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## watch the daemon adapt: shipped clip, shipped models, no hardware needed
	@$(PYTHON_DAEMON) -m edge_daemon demo $(ARGS)

test: $(VENV)/.dev ## run the daemon's tests
	@$(PYTHON_DAEMON) -m pytest $(ARGS)

check: $(VENV)/.dev ## lint, formatting and types
	@$(PYTHON_DAEMON) -m ruff check .
	@$(PYTHON_DAEMON) -m ruff format --check .
	@$(PYTHON_DAEMON) -m mypy

bench: $(VENV)/.runtime ## measure every tier on this machine
	@$(PYTHON_DAEMON) -m edge_daemon bench $(ARGS)

docs: $(VENV)/.dev ## write the pages that are made from the code
	@$(PYTHON_DAEMON) -m edge_daemon.config.reference > docs/config.md
	@$(PYTHON_DAEMON) -m edge_daemon.journal.schema
	@$(PYTHON_DAEMON) -m tools.file_table

test-tools: $(VENV_TOOLS)/.ready ## run the tests of the offline tools (installs PyTorch: 2 GB)
	@$(PYTHON_TOOLS) -m pytest $(PYTEST_TOOLS) tests/tools $(ARGS)

test-tflite: $(VENV_TFLITE)/.ready ## run the inference tests on tflite-runtime (Python 3.11)
	@$(VENV_TFLITE)/bin/python -m pytest tests/inference/test_tflite_runtime.py $(ARGS)

models: $(VENV_TOOLS)/.ready ## teach, distil, convert and evaluate the bundle: DATA=directory, or SMOKE=1
	@[ -n "$(SMOKE)" ] || tools/apt.sh espeak-ng
	@$(PYTHON_TOOLS) -m tools.teach $(SOURCES) --run $(RUN) --only audio & audio=$$!; \
		$(PYTHON_TOOLS) -m tools.teach $(SOURCES) --run $(RUN) --only visual; wait $$audio
	@$(PYTHON_TOOLS) -m tools.teach $(SOURCES) --run $(RUN)
	@$(PYTHON_TOOLS) -m tools.distil $(SOURCES) --run $(RUN)
	@$(PYTHON_TOOLS) -m tools.convert $(SOURCES) --run $(RUN) --bundle $(BUNDLE)
	@$(PYTHON_TOOLS) -m tools.evaluate $(SOURCES) --run $(RUN) --bundle $(BUNDLE) --write

simulate: $(VENV_TOOLS)/.ready ## play the governor against others on a simulated board, and check its gates
	@$(PYTHON_TOOLS) -m tools.simulate score --check $(ARGS)

test-systemd: $(VENV)/.dev ## run the service under a real systemd (root; else those tests skip)
	@tools/apt.sh systemd systemd-container shellcheck iproute2 || echo "going on: tests that need these skip"
	@$(PYTHON_DAEMON) -m pytest $(PYTEST_ALL) tests/systemd $(ARGS)

test-userland: $(VENV)/.dev ## run the daemon's programs on emulated arm64, one by one (root; builds once)
	@tools/apt.sh $(BOARD_PACKAGES) || echo "going on: what is missing will be named"
	@$(PYTHON_DAEMON) -m tools.board build --programs-only
	@$(PYTHON_DAEMON) -m pytest $(PYTEST_ALL) tests/board/test_userland.py $(ARGS)

test-board: $(VENV)/.dev ## run the daemon on a virtual arm64 board (root; builds it once, 15 minutes)
	@tools/apt.sh $(BOARD_PACKAGES) || echo "going on: what is missing will be named"
	@$(PYTHON_DAEMON) -m tools.board build
	@$(PYTHON_DAEMON) -m pytest $(PYTEST_ALL) tests/board $(ARGS)

drills: $(VENV)/.dev ## break everything around the running daemon, and time how it takes that (root for all)
	@$(PYTHON_DAEMON) -m tools.drills $(ARGS)

fuzz: $(VENV)/.dev ## feed broken files to everything that reads one; FUZZ=100 tries more
	@$(PYTHON_DAEMON) -m pytest tests/fuzz $(ARGS)

install: ## install as a systemd service (root; DESTDIR= installs into an image)
	@systemd/install.sh $(ARGS)

uninstall: ## remove the service; PURGE=1 removes its configuration and journal too
	@systemd/uninstall.sh $(if $(filter-out 0,$(PURGE)),--purge) $(ARGS)

clean: ## remove the virtual environments and every cache
	@rm -rf $(VENV) $(VENV_TOOLS) $(VENV_TFLITE) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.runtime: pyproject.toml constraints.txt
	@echo "setting up $(VENV) (a minute or so, once)"
	@tools/venv.sh $(VENV)
	@$(PYTHON_DAEMON) $(PIP) --constraint constraints.txt --editable .
	@touch $@

# After .runtime: two pips in one environment would trip over each other.
$(VENV)/.dev: $(VENV)/.runtime
	@echo "setting up the test tools in $(VENV)"
	@$(PYTHON_DAEMON) $(PIP) --constraint constraints.txt --editable '.[dev]'
	@tools/apt.sh libportaudio2 || echo "going on without a microphone library: its tests skip"
	@touch $@

# The second choice of runtime: its wheels end with Python 3.11 and want numpy 1.
$(VENV_TFLITE)/.ready: pyproject.toml
	@echo "setting up $(VENV_TFLITE)"
	@tools/venv.sh $(VENV_TFLITE)
	@$(VENV_TFLITE)/bin/python $(PIP) tflite-runtime==2.14.0 numpy==1.26.4 msgspec==0.22.0 \
		PyYAML==6.0.3 opencv-python-headless==4.11.0.86 pytest==9.2.0 hypothesis==6.170.15
	@touch $@

# PyTorch first and alone: pulled in by another package, it may bring several GB for a GPU.
$(VENV_TOOLS)/.ready: pyproject.toml tools/constraints.txt
	@echo "setting up $(VENV_TOOLS) (some minutes, once)"
	@tools/venv.sh $(VENV_TOOLS)
	@$(PYTHON_TOOLS) $(PIP) --constraint tools/constraints.txt torch
	@$(PYTHON_TOOLS) $(PIP) --constraint tools/constraints.txt --editable '.[tools]'
	@touch $@
