"""``pytest --jupyter-hpc-target=mine``: the contract suite on a target, as whoever wrote its backend runs it.

The target is configured as for a user, in Jupyter's configuration, and its backend's module must be importable. Where
files are named, those run (``--pyargs jupyter_hpc.testing.contract.test_outputs``); else the whole suite. Runs lie in
``TMPDIR``: where the nodes don't see this machine's ``/tmp``, set it to a folder that they see, with a short path.

Every pytest of an environment that has this package loads this module: it adds an option and imports nothing.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

OPTION = "--jupyter-hpc-target"
CONTRACT = Path(__file__).parent / "contract"
NOTEBOOK = "jupyter_hpc.testing.notebook"
NEEDS = ("jupyter_client", "matplotlib", "numpy", "pandas", "tqdm")  # as the extra `testing` has them


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("jupyter_hpc").addoption(
        OPTION,
        action="append",
        metavar="NAME",
        help="run jupyter_hpc's contract suite, or the files that are named, on this target; may be given again",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not chosen(config):
        return
    missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise pytest.UsageError(f"The contract needs {', '.join(missing)}: pip install 'jupyter-hpc[testing]'")
    _check_targets(chosen(config))
    if NOTEBOOK not in sys.modules:
        pytest.register_assert_rewrite(NOTEBOOK)
    if not config.option.file_or_dir:
        config.args = [str(CONTRACT)]
    config.addinivalue_line("python_files", "test_*.py")  # whatever a project calls its own
    config.addinivalue_line("python_functions", "test")


def chosen(config: pytest.Config) -> list[str]:
    """Return the targets that the command line names, each once."""
    return list(dict.fromkeys(config.getoption(OPTION) or []))


def _check_targets(names: list[str]) -> None:
    from jupyter_hpc.exceptions import HPCError
    from jupyter_hpc.targets.targets import target

    for name in names:
        try:
            target(name).make_backend()
        except HPCError as error:
            raise pytest.UsageError(str(error)) from None
