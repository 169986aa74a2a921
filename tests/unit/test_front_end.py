"""The front end's own unit tests, with the Node and the packages that build the sidebar."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "labextension"


def bundle() -> ModuleType:
    """Return `bundle.py`, which knows where Node is and how packages come."""
    spec = importlib.util.spec_from_file_location("bundle", FOLDER / "bundle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(900)  # the first time, all packages are fetched
def test_the_front_end_passes_its_own_tests() -> None:
    tools = bundle()
    environment = {**tools.with_node(), "NO_COLOR": "1"}
    tools.install(environment)
    done = subprocess.run(tools.jlpm("test"), cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
