# Two commands do everything: `make demo` and `make test`. Both install what they need and may be repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint types firmware-tools clean

demo: $(STAMP) firmware-tools
	$(BIN)/psog demo

test: $(STAMP) firmware-tools
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(STAMP): pyproject.toml constraints.txt scripts/python-venv
	scripts/python-venv $(PYTHON) $(VENV)
	touch $@

firmware-tools:
	scripts/firmware-tools

clean:
	rm -rf $(VENV) build dist psog-demo *.egg-info
