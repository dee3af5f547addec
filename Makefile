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
PYTEST = $(BIN)/python -m pytest --durations=20
ON_DEVICES = $(PYTEST) -m "gpu and not numbers and not heavy"
VALIDATE = GRILLY_VALIDATE=1 $(ON_DEVICES) -q
# What of the validation run stands beside: a third of it, without Ctrl-C, which jobs of sh ignore.
BESIDE = device_ lambdas param tape_e
VALIDATE_BESIDE = $(VALIDATE) $(foreach name,$(BESIDE),tests/test_$(name)*.py)
VALIDATE_REST = $(VALIDATE) $(foreach name,$(BESIDE),--ignore-glob='*/test_$(name)*.py')

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test bench bench-peers validate heavy lint clean

help:
	@echo "make demo         train a classifier on handwritten digits; its learning rate lives on the GPU"
	@echo "make test         lint, then every test on every Vulkan driver; what calls it, under validation too"
	@echo "make bench        every speed figure as a ratio, on every driver: docs/bench.md and its picture"
	@echo "make bench-peers  against torch, optax and PyPI's grilly, in environments of their own"
	@echo "make validate     the GPU tests under Vulkan's validation layer"
	@echo "make heavy        the tests that take minutes"
	@echo "make lint         ruff and mypy"
	@echo "make clean        remove all that make made in this folder"

demo: .venv/demo.stamp
	@$(SHADERS)
	@$(BIN)/python examples/digits.py
	@echo
	@$(BIN)/python examples/resident_digits.py

# Two at a time, for two cores: numbers, what needs no device and a part of the validation run
# beside the devices and the rest of it, which takes as long.
# The log lies outside, for a test looks whether anything changes in this folder.
test: .venv/test.stamp lint
	@$(SHADERS)
	@$(BOTH_DRIVERS); log=$$(mktemp); \
	{ $(PYTEST) -m "(numbers or not gpu) and not heavy" && $(VALIDATE_BESIDE); } >$$log 2>&1 & \
	beside=$$!; trap "pkill -P $$beside; kill $$beside" INT TERM; \
	$(ON_DEVICES) && $(VALIDATE_REST); devices=$$?; \
	wait $$beside; others=$$?; cat $$log; rm -f $$log; exit $$((devices || others))

bench: .venv/test.stamp
	@$(SHADERS)
	@$(BOTH_DRIVERS); $(BIN)/python tools/bench.py --write

# The peers' environments lie in build/peers.
bench-peers: .venv/test.stamp
	@$(SHADERS)
	@$(BOTH_DRIVERS); $(BIN)/python tools/bench_peers.py

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
