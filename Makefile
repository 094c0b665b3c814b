# `make demo` and `make test`: each sets up .venv with nox, and hands over to noxfile.py.
# BACKEND=setuptools-rust, FLOOR=3.12 and PYTHON=python3.13 change what is used.

PYTHON ?= python3
BACKEND ?= maturin
FLOOR ?= 3.11
NOX := .venv/bin/nox

.PHONY: demo test
demo: $(NOX)
	@$(NOX) --session demo -- --backend=$(BACKEND) --floor=$(FLOOR)

test: $(NOX)
	@$(NOX) --session test -- $(ARGS)

$(NOX): requirements.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Missing: Python 3.11 or newer ($(PYTHON) is not on the PATH; or name another: make PYTHON=...)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Missing: Python 3.11 or newer ($(PYTHON) is $$($(PYTHON) --version); name another: make PYTHON=...)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Missing: the modules venv and ensurepip of $(PYTHON) (on Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	@echo "Setting up .venv with nox and the other tools of requirements.txt ..."
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@touch $(NOX)
