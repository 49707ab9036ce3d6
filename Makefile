# Two commands do everything: `make demo` and `make test`. Both install what they need and may be repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A process a core, each with whole files (what a file sets up is set up once), at most 1 GB each.
ON_ALL_CORES := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: demo test screenshots results docs docs-serve lint test-tensorflow soak soak-hour power-cuts fuzz fuzz-short fuzz-coverage analyse firmware-tools browser clean

demo: $(STAMP) firmware-tools
	$(BIN)/psog demo

test: $(STAMP) firmware-tools browser
	$(BIN)/python -m pytest $(ON_ALL_CORES)

# The pictures of the pages in the documentation, made by the tests of the pages.
screenshots: $(STAMP) browser
	PSOG_SCREENSHOTS=docs/images $(BIN)/python -m pytest tests/browser

# The tables of docs/results.md that benchmarks write: one run again with NAME=, else set from what is kept.
results: $(STAMP) firmware-tools
	$(BIN)/python scripts/results $(NAME)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The export once more, by TensorFlow's own converter: 600 MB of packages, so not part of `make test`.
test-tensorflow: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[tensorflow]'
	$(BIN)/python -m pytest tests/firmware_export/test_tensorflow_route.py

# The site, into build/site, to be opened from there; a broken link is an error. `docs-serve` shows it as it is made.
docs: $(STAMP)
	$(BIN)/python -m scripts.website build

docs-serve: $(STAMP)
	$(BIN)/python -m scripts.website serve

# The link at 1 kHz, on good and bad lines: minutes, and the hour; `make test` has the seconds.
soak: $(STAMP) firmware-tools
	$(BIN)/psog bench link

soak-hour: $(STAMP) firmware-tools
	$(BIN)/psog bench link --seconds 3600 --faulty-seconds 600

# Power cuts and flipped bits in flash, some two minutes; `make test` has the seconds.
power-cuts: $(STAMP) firmware-tools
	$(BIN)/python -m tests.power_cuts

# The firmware's parsers against hostile input (docs/hostile.md): libFuzzer, RUNS each; in short with gcc.
RUNS ?= 1e8
fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz run --runs $(RUNS)

fuzz-short: $(STAMP)
	$(BIN)/python -m tests.fuzz short --runs 1e6

fuzz-coverage: $(STAMP)
	$(BIN)/python -m tests.fuzz coverage

# clang-tidy, cppcheck and the proofs by Frama-C; says which of them is not installed.
analyse: $(STAMP)
	$(BIN)/python scripts/analyse

$(STAMP): pyproject.toml constraints.txt scripts/python-venv
	scripts/python-venv $(PYTHON) $(VENV)
	touch $@

firmware-tools:
	scripts/firmware-tools

browser:
	scripts/browser

clean:
	rm -rf $(VENV) build dist psog-demo *.egg-info
