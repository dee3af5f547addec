# grilly's tasks. Each one does its own set-up, on a machine with Python 3.10 or newer and make:
# `make` alone lists them, and PYTHON=... chooses the Python that .venv is made of.

PYTHON ?= python3
export PYTHON
BIN := $(CURDIR)/.venv/bin
SYSTEM_PATH := $(PATH)
export PATH := $(BIN):$(PATH)

# An edited shader is compiled again; Ninja is silent when all went well.
SHADERS = $(BIN)/cmake --build build/editable -- --quiet
BOTH_DRIVERS = export VK_ADD_DRIVER_FILES="$$(tools/swiftshader.sh)"
PYTEST = $(BIN)/python -m pytest
VALIDATE = GRILLY_VALIDATE=1 $(PYTEST) -q -m "gpu and not heavy and not numbers"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test bench validate heavy lint clean

help:
	@echo "make demo      train a classifier on handwritten digits; its learning rate lives on the GPU"
	@echo "make test      lint, then every test on every Vulkan driver, with and without validation"
	@echo "make bench     kernels against copy shaders, numpy against torch, ratios on every driver"
	@echo "make validate  the GPU tests under Vulkan's validation layer"
	@echo "make heavy     the tests that take minutes"
	@echo "make lint      ruff and mypy"
	@echo "make clean     remove all that make made in this folder"

demo: .venv/demo.stamp
	@$(SHADERS)
	@$(BIN)/python examples/digits.py
	@echo
	@$(BIN)/python examples/resident_digits.py

# Two at a time, for two cores: what is about numbers beside all the rest and the validation run.
# The log lies outside, for a test looks whether anything changes in this folder.
test: .venv/test.stamp lint
	@$(SHADERS)
	@$(BOTH_DRIVERS); log=$$(mktemp); \
	$(PYTEST) -m "numbers and not heavy" >$$log 2>&1 & beside=$$!; \
	trap "kill $$beside" INT TERM; \
	$(PYTEST) -m "not numbers and not heavy" && $(VALIDATE); rest=$$?; \
	wait $$beside; numbers=$$?; cat $$log; rm -f $$log; exit $$((rest || numbers))

bench: .venv/test.stamp
	@$(SHADERS)
	@$(BOTH_DRIVERS); $(BIN)/python tools/bench

validate: .venv/test.stamp
	@$(SHADERS)
	@$(BOTH_DRIVERS); $(VALIDATE)

heavy: .venv/test.stamp
	@$(SHADERS)
	@$(BOTH_DRIVERS); $(PYTEST) -m heavy

lint: .venv/test.stamp
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --diff --quiet .; exit 1; }
	@$(BIN)/mypy --strict grilly

# Set-up runs again only when what it installs has changed. It must see the system as it is, so
# without .venv's own programs.
.venv/demo.stamp: EXTRAS = demo
.venv/test.stamp: EXTRAS = demo,test
.venv/%.stamp: pyproject.toml tools/setup.sh
	@PATH="$(SYSTEM_PATH)" tools/setup.sh $(EXTRAS)
	@touch $@

clean:
	rm -rf digits.png .venv build dist grilly/spirv .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
