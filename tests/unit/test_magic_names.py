"""A target's name is a cell magic, where it can be one and is nobody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_hpc.backends import registry
from jupyter_hpc.backends.base import Backend
from jupyter_hpc.backends.kubernetes import KubernetesBackend
from jupyter_hpc.backends.local import LocalBackend
from jupyter_hpc.backends.slurm import SlurmBackend
from jupyter_hpc.magics import magic_names as names
from jupyter_hpc.magics.cells import bodiless
from jupyter_hpc.magics.completion import matches
from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.model.states import JobState, Status
from jupyter_hpc.runtime.settings import BUILT_IN_TARGETS, target_names
from jupyter_hpc.submission.rerun import _interpreter
from jupyter_hpc.targets.targets import targets
from jupyter_hpc.views.head import headline

SHELL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def magics():
    return shell.magics_manager.magics["cell"]
own_time, own_bash = magics()["time"], magics()["bash"]
shell.run_line_magic("load_ext", "jupyter_hpc")
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration file, not there yet; no other is read."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    return tmp_path / "jupyter_hpc_config.json"


def configure(path: Path, *targets: str) -> None:
    path.write_text(json.dumps({"JupyterHPC": {"targets": {name: {"backend": "local"} for name in targets}}}))


def in_ipython(code: str) -> str:
    """Run code in a fresh interpreter whose IPython has loaded the extension, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", SHELL + code], capture_output=True, text=True, timeout=60, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_configured_target_is_a_cell_magic(config: Path) -> None:
    configure(config, "big")
    said = in_ipython("""
shell.run_cell("%%big --help")
assert magics()["big"].__doc__ == magics()["local"].__doc__.replace("%%local", "%%big")
shell.run_line_magic("unload_ext", "jupyter_hpc")
assert not {"big", "local", "slurm", "k8s", "hpc"} & set(magics())
assert "hpc" not in shell.magics_manager.magics["line"]
""")
    assert said.startswith("%%big [options]")


def test_a_cell_of_a_configured_target_runs_there(config: Path, tmp_path: Path, monkeypatch) -> None:
    configure(config, "big")
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path / "runs"))
    said = in_ipython("""
shell.run_cell("%%big --quiet\\nx = 6 * 7")
print(shell.user_ns["x"], shell.user_ns["_hpc"].target)
""")
    assert said.splitlines()[-1] == "42 big"


def test_names_that_are_no_names_or_somebody_elses_are_left_alone(config: Path) -> None:
    configure(config, "time", "bash", "my-gpu", "class", "1st", "hpc")
    in_ipython("""
assert magics()["time"] is own_time and magics()["bash"] is own_bash
assert not {"my-gpu", "class", "1st"} & set(magics())
assert {"hpc", "slurm", "k8s", "local"} <= set(magics())
""")


def test_a_target_configured_later_is_a_magic_at_the_next_load(config: Path) -> None:
    in_ipython(f"""
assert "later" not in magics()
open({str(config)!r}, "w").write('{{"JupyterHPC": {{"targets": {{"later": {{"backend": "local"}}}}}}}}')
shell.run_line_magic("reload_ext", "jupyter_hpc")
assert "later" in magics()
""")


@pytest.mark.parametrize("text", ["{", '{"JupyterHPC": {"targets": ["big"]}}'])
def test_a_file_that_cannot_be_read_keeps_nothing_from_loading(config: Path, text: str) -> None:
    config.write_text(text)
    in_ipython('assert {"hpc", "slurm", "k8s", "local"} <= set(magics())')
    with pytest.raises(TargetError, match=r"jupyter_hpc_config\.json"):
        targets()


@pytest.fixture
def big(config: Path):
    """``%%big`` is a magic of ours, in this process."""
    configure(config, "big", "time")
    names.choose({"time"})
    yield
    config.unlink()
    names.choose(())


@pytest.mark.usefixtures("big")
def test_whoever_reads_a_cell_knows_the_name() -> None:
    assert bodiless(["%%big --gpus 1"]) == ["%%big --gpus 1\n", "#\n"]
    assert bodiless(["%%big?"]) == ["%%big?"]
    assert bodiless(["%%time"]) == ["%%time"]
    assert matches("%%big --parti") == ("--parti", ["--partition"])
    assert matches("%%bigger --parti") == ("", [])
    assert names.opening("%%big x") and not names.opening("%%time x")


def test_targets_are_those_that_are_named(config: Path) -> None:
    configure(config, "big", "local")
    assert list(targets()) == target_names() == [*BUILT_IN_TARGETS, "big"]


# -- what a backend says of itself -----------------------------------------------------------------


def test_options_of_sbatchs_own_are_slurms() -> None:
    cell = "#SBATCH --mem=1G\nx = 1"
    assert SlurmBackend.own_options(cell) == ("--mem=1G",)
    assert LocalBackend.own_options(cell) == KubernetesBackend.own_options(cell) == ()


def test_a_run_of_a_backend_that_is_gone_can_be_shown() -> None:
    assert registry.backend_of({"target": {"backend": "local"}}) is LocalBackend
    assert registry.backend_of({"target": {"backend": "somebodys-own"}}) is Backend
    with pytest.raises(TargetError, match="no backend"):
        registry.backend_class("somebodys-own")


def test_a_rerun_names_an_interpreter_only_where_nodes_have_it() -> None:
    record = {"spec": {}, "environment": {"executable": "/bin/sh"}, "target": {"name": "k8s"}}
    assert _interpreter(record, "local") == {"python": "/bin/sh"}
    assert _interpreter(record, "k8s") == {}


@pytest.mark.parametrize(("backend", "shown"), [("slurm", True), ("local", False), ("somebodys-own", True)])
def test_a_headline_has_the_numbers_that_people_know(backend: str, shown: bool) -> None:
    line = headline({"target": {"name": "here", "backend": backend}}, Status(JobState.RUNNING, native_id="17.3"))
    assert ("job 17.3" in line) is shown
