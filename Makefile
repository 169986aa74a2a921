# make demo   set up, start a practice Slurm, run the tour on it
# make test   install what the tests need, and run them all
# make lab    the tour in JupyterLab, on the practice Slurm
# make check  ruff and mypy · make bench  the benchmarks · make clean

PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
AS_ROOT = $(shell if [ "$$(id -u)" = 0 ]; then echo env; elif sudo -n true 2>/dev/null; then echo sudo; fi)
APT     = DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0

.PHONY: demo test lab check bench clean slurm

demo: $(VENV)/demo slurm
	$(BIN)/python notebooks/run.py notebooks/00-tour.ipynb --into demo

lab: $(VENV)/lab slurm
	-$(BIN)/jupyter-hpc practice up
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/00-tour.ipynb; \
	  $(BIN)/jupyter-hpc practice down

test: $(VENV)/test slurm
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/test slurm
	for each in benchmarks/*.py; do $(BIN)/python $$each || exit 1; done

# a virtual environment with the package and one dependency group; made again when pyproject.toml changes
$(VENV)/demo $(VENV)/test $(VENV)/lab: $(VENV)/%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --editable . --group demo --group $*
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  [ -n "$(AS_ROOT)" ] || { echo "This Python has no venv module: install python3-venv, or name another with PYTHON=…"; exit 1; }; \
	  $(AS_ROOT) $(APT) update && $(AS_ROOT) $(APT) install -y --no-install-recommends python3-venv; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip

# Slurm's packages for the practice cluster, where somebody may install them
slurm: | $(BIN)/python
	@missing="$$($(BIN)/python -c 'from jupyter_hpc.practice import missing_packages; print(*missing_packages())')"; \
	if [ -z "$$missing" ]; then exit 0; \
	elif [ -n "$(AS_ROOT)" ] && command -v apt-get > /dev/null; then \
	  echo "installing $$missing"; \
	  $(AS_ROOT) $(APT) update && $(AS_ROOT) $(APT) install -y --no-install-recommends $$missing > /dev/null; \
	else echo "No Slurm here, and neither root nor sudo to install $$missing: cells run with %%local."; fi

clean:
	rm -rf demo dist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
