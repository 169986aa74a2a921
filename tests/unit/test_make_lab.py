"""``make lab`` stops the practice Slurm that it started, however impatiently somebody stops JupyterLab."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTHING = ""
JUPYTER = """
import signal
interrupts = {signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, interrupts)
print("lab is up", flush=True)
signal.sigwait(interrupts)
print("shut down?", flush=True)  # as jupyter_server asks: a second SIGINT is a yes
signal.sigwait(interrupts)
print("lab is down", flush=True)
"""
JUPYTER_HPC = """
import sys
print(*sys.argv[1:], flush=True)
if sys.argv[1:] == ["practice", "down"]:
    sys.stdin.readline()
    print("slurm is down", flush=True)
"""


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A virtual environment, as `make` sees it, with something quick for each of its commands."""
    (tmp_path / "bin").mkdir()
    for name, code in {"python": NOTHING, "jupyter": JUPYTER, "jupyter-hpc": JUPYTER_HPC}.items():
        command = tmp_path / "bin" / name
        command.write_text(f"#!{sys.executable}\n{code}")
        command.chmod(0o755)
    (tmp_path / "lab").touch()
    return tmp_path


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_the_practice_slurm_is_stopped_after_two_sigints_and_during_a_third(venv: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    make = subprocess.Popen(
        ["make", "--silent", "lab", f"VENV={venv}"],
        cwd=ROOT,
        env=environment,
        text=True,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    said = []

    def until(line: str) -> None:
        for each in make.stdout:
            said.append(each.rstrip("\n"))
            if said[-1] == line:
                return
        pytest.fail(f"it ended without {line!r}: {said}")

    try:
        for line in ("lab is up", "shut down?", "practice down"):
            until(line)
            os.killpg(make.pid, signal.SIGINT)
        make.stdin.write("\n")
        make.stdin.flush()
        until("slurm is down")
        assert said.index("lab is down") < said.index("practice down")
        assert make.stdout.read() == ""  # nobody is left who could write
    finally:
        try:
            os.killpg(make.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        make.communicate()
