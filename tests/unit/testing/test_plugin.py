"""What ``--jupyter-hpc-target`` collects, in a project that has tests of its own; nothing is run on a target here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import jupyter_hpc

CONTRACT = Path(jupyter_hpc.__file__).parent / "testing" / "contract"
OWN = """
import sys

def check_nothing_heavy():
    heavy = {"IPython", "numpy", "traitlets", "jupyter_client", "asyncio", "jupyter_hpc.targets"} & set(sys.modules)
    assert not heavy - %r
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\npython_files = *_check.py\npython_functions = check_*\nfilterwarnings = error\n"
    )
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef notebook():\n    raise RuntimeError('another')\n"
    )
    (tmp_path / "own_check.py").write_text(OWN % _without_the_plugin())
    return tmp_path


def _without_the_plugin() -> set[str]:
    """What pytest itself, or another plugin, imports anyway."""
    without = ["-p", "no:jupyter_hpc.testing.plugin", "--collect-only", "-q", "--noconftest", "/dev/null"]
    code = f"import sys, pytest; pytest.main({without}); print(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split())


def ran(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "jupyter_hpc.testing.plugin", "-q", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120)


def test_every_module_of_the_suite_is_asked_of_our_own_clusters() -> None:
    own = Path(__file__).parents[2] / "contract"
    assert {p.name for p in own.glob("test_*.py")} == {p.name for p in CONTRACT.glob("test_*.py")}


def test_without_the_option_it_is_as_if_it_were_not_there(project: Path) -> None:
    done = ran(project)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 passed")


def test_the_option_alone_runs_the_whole_suite_and_nothing_else(project: Path) -> None:
    done = ran(project, "--jupyter-hpc-target=local", "--collect-only")
    assert done.returncode == 0, done.stdout
    found = done.stdout.splitlines()
    named = {line.partition("::")[0] for line in found if "::" in line}
    assert named == {path.name for path in CONTRACT.glob("test_*.py")}
    assert all(line.partition("[")[2].startswith("local") for line in found if "::" in line)


def test_each_target_is_asked_the_same(project: Path) -> None:
    (project / "jupyter_hpc_config.json").write_text('{"JupyterHPC": {"targets": {"mine": {"backend": "local"}}}}')
    targets = ("--jupyter-hpc-target=local", "--jupyter-hpc-target=mine", "--jupyter-hpc-target=mine")
    part = ("--pyargs", "jupyter_hpc.testing.contract.test_values")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_PATH", str(project))
        done = ran(project, *targets, *part, "--collect-only")
    lines = [line for line in done.stdout.splitlines() if "::" in line]
    assert len(lines) == 2 * len([line for line in lines if "[mine" in line]) > 0


def test_files_that_are_named_are_what_runs(project: Path) -> None:
    done = ran(project, "--jupyter-hpc-target=local", "own_check.py", "--collect-only")
    assert [line for line in done.stdout.splitlines() if "::" in line] == ["own_check.py::check_nothing_heavy"]


def test_a_target_that_is_not_there_is_said_in_a_sentence(project: Path) -> None:
    done = ran(project, "--jupyter-hpc-target=locl")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "There is no target 'locl'.\nDid you mean local?" in done.stderr


def test_a_backend_that_can_not_be_imported_is_said_in_a_sentence(project: Path) -> None:
    (project / "jupyter_hpc_config.json").write_text(
        '{"JupyterHPC": {"targets": {"mine": {"backend": "nowhere:Mine"}}}}'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_PATH", str(project))
        done = ran(project, "--jupyter-hpc-target=mine")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "The backend nowhere:Mine can't be used" in done.stderr


def test_the_suite_without_a_target_is_an_error_that_says_how(project: Path) -> None:
    done = ran(project, "--pyargs", "jupyter_hpc.testing.contract.test_values", "-o", "python_functions=test")
    assert done.returncode != 0
    assert "name it with --jupyter-hpc-target" in done.stdout
