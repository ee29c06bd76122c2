# Everything a newcomer needs: `make run` and `make test`. Python ≥ 3.11 with venv and make are enough.

PYTHON ?= python3
BIN := .venv/bin
DATA_DIR ?= .unpend

# A fleet is a dozen processes, and each would compile a thousand modules for itself.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run install test check format lock docs sbom audit pin clean

help:  ## what can be done here
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ —/'

run: install  ## start the whole fleet, carry the sample orders to their end, stay up until Ctrl-C
	@exec $(BIN)/unpend up --data-dir $(DATA_DIR) --time-jump

install: .venv/installed  ## prepare .venv with what runs

test: .venv/installed-dev  ## lint, types, import contracts, and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# Beside the types, on the other core: else each of the four would compile every test for itself.
	$(BIN)/mypy & types=$$!; $(BIN)/pytest --collect-only -qq > /dev/null || true; wait $$types
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

check: .venv/installed-dev  ## what is quick: lint, types, and the tests that start nothing
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n 3 tests/unit tests/architecture

format: .venv/installed-dev  ## put the code into the project's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/installed-dev  ## draw what is generated from the code
	$(BIN)/python docs/generate.py

sbom: .venv/installed  ## write what this is made of (sbom.json, CycloneDX) and list the licences
	$(BIN)/python docs/bill_of_materials.py > sbom.json
	$(BIN)/python docs/bill_of_materials.py --licences

audit: .venv/audit/installed  ## ask whether something is known against the locked packages (needs the internet)
	sh deploy/audit.sh .venv/audit/bin/pip-audit

pin:  ## write the digests of the base images (needs docker and the internet)
	sh deploy/pin-images.sh

lock:  ## resolve the dependencies anew, for every supported Python and platform (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --extra dev --extra train -c requirements.lock pyproject.toml -o requirements-dev.lock
	echo pip-audit==2.10.1 | uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url - -o deploy/audit.lock

clean:  ## remove what was installed, not what was recorded
	find . -name __pycache__ -not -path "./.venv/*" -exec rm -rf {} +
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/python:
	$(PYTHON) -c 'import sys; sys.exit("unpend needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/python requirements.lock pyproject.toml deploy/build.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock -r deploy/build.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.venv/audit/installed: .venv/python deploy/audit.lock
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --require-hashes -r deploy/audit.lock
	@touch $@
