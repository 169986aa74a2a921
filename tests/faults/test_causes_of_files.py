"""Rows of the table of causes that come from modules and disks, brought about for real on the practice Slurm."""

from __future__ import annotations

import json
import os
import shutil
import venv
from pathlib import Path

import pytest

from jupyter_hpc.model import exceptions
from jupyter_hpc.model.states import JobState
from tests.faults.disks import fill, needs_root, small_disk
from tests.faults.occurrences import check, is_shown_everywhere, recorded, shows
from tests.faults.road import slurm, submit

# -- modules -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A virtual environment without a package."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    return str(folder)


@shows("module-missing-there")
def test_module_that_the_kernel_has(cluster: Path, bare: str) -> None:
    job = submit("import importlib\nimportlib.import_module('traitlets')", venv=bare)  # no reader sees it
    assert job.wait(120), job
    hint = f"The kernel has traitlets, {bare}/bin/python on c1 hasn't.*`--venv DIR`, `--conda NAME`, `--module NAME`"
    check(job, "module-missing-there", ModuleNotFoundError, hint, "No module named 'traitlets'")


@shows("environment")
def test_module_that_an_input_needs(cluster: Path, bare: str) -> None:
    import packaging.version

    job = submit("y = x.major", names={"x": packaging.version.Version("1.2")}, venv=bare)
    assert job.wait(120), job
    check(job, "environment", exceptions.EnvironmentMismatch, "Install packaging there", "has no packaging")


@shows("prologue")
def test_a_prologue_that_fails(cluster: Path) -> None:
    config = Path(os.environ["JUPYTER_CONFIG_DIR"], "jupyter_hpc_config.json")
    config.parent.mkdir(exist_ok=True)
    config.write_text(json.dumps({"JupyterHPC": {"targets": {"slurm": {"prologue": "false"}}}}))
    try:
        job = submit("x = 1")
        assert job.wait(120), job
    finally:
        config.unlink()
    hint = "`%hpc config` shows where from"
    check(job, "prologue", exceptions.EnvironmentMismatch, hint, "the prologue failed on .* in line 1: false")


@shows("environment")
def test_numpy_is_missing_there(cluster: Path, bare: str) -> None:
    import numpy

    job = submit("y = x + 1", names={"x": numpy.arange(3)}, venv=bare)
    assert job.wait(120), job
    check(job, "environment", exceptions.EnvironmentMismatch, "--venv", "has no numpy")


# -- disks ---------------------------------------------------------------------------------------------


@needs_root
@shows("disk-full")
@pytest.mark.parametrize(
    "cell",
    [
        "file = open('big', 'wb')\nfor _ in range(9): file.write(bytes(1 << 20)); file.flush()",
        "with open('big', 'wb') as file:\n    for _ in range(9): file.write(bytes(1 << 20))",
        "import os\nfd = os.open('big', os.O_CREAT | os.O_WRONLY)\nwhile os.write(fd, bytes(1 << 20)): pass",
    ],
    ids=["open file", "closed file", "descriptor"],
)
def test_full_workdir(cluster: Path, cell: str) -> None:
    with small_disk(cluster / "small", 2) as folder:
        job = submit(cell, workdir=str(folder))
        assert job.wait(120), job
        check(job, "disk-full", OSError, rf"{folder}\S* \(on {folder}, 0 B free\) is full", "No space left")


@needs_root
@shows("disk-full", "result-disk-full", "launch-disk-full")
@pytest.mark.parametrize("when", ["writing the log", "saving", "starting"])
def test_full_run_directory(cluster: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    impatient = {"JUPYTER_HPC_WAIT_FOR_ROOM": "0"}
    with small_disk(cluster / "small", 12) as folder:
        monkeypatch.setenv("JUPYTER_HPC_ROOT", str(folder))
        if when == "writing the log":
            job = submit("while True: print('x' * 4000)", env=impatient)
            assert job.wait(120), job
            hint = "`%hpc clean`.*JUPYTER_HPC_ROOT"
            check(job, "result-disk-full", exceptions.DiskFull, hint, "the cell itself had raised OSError")
        elif when == "saving":
            job = submit("x, y = bytes(20 << 20), 6", env=impatient)
            assert job.wait(120), job
            error = check(job, "result-disk-full", exceptions.DiskFull, "JUPYTER_HPC_ROOT", "No space left")
            assert str(folder) in str(error)
            assert job.outcome().names == {"y": 6}
        else:
            job = submit("x = 1", passthrough=("--hold", "--no-requeue"), env=impatient)
            fill(folder)
            slurm("scontrol", "release", job.native_id)
            assert job.wait(120), job  # though there is no room for the verdict
            check(job, "launch-disk-full", exceptions.DiskFull, "JUPYTER_HPC_ROOT", "bytes are free")
            is_shown_everywhere(job, "bytes are free")
        assert recorded(job) == "FAILED 1:0"


@shows("no-workdir")
def test_workdir_is_not_there(cluster: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    job = submit("x = 1", workdir=str(folder), passthrough=("--hold",))
    folder.rmdir()
    slurm("scontrol", "release", job.native_id)
    assert job.wait(120), job
    check(job, "no-workdir", exceptions.NoSharedDisk, "`--workdir DIR`", "FileNotFoundError")


@shows("no-shared-disk")
@pytest.mark.parametrize("part", ["payload", "worker"])
def test_a_part_of_the_disk_is_not_there(
    cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """As where the node mounts another disk at the same path; a node that sees none of it is on the full Slurm."""
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    job = submit("x = 1", passthrough=("--hold",))
    shutil.rmtree(job.run.payload if part == "payload" else tmp_path / "worker")
    slurm("scontrol", "release", job.native_id)
    assert job.wait(120), job
    check(job, "no-shared-disk", exceptions.NoSharedDisk, "JUPYTER_HPC_ROOT", "can't read|No module named")
    assert recorded(job) == ("FAILED 3:0" if part == "payload" else "FAILED 1:0")


DAMAGING = """\
import os
real = os.replace
def replace(source, target):
    if str(target).endswith("/result"):
        open(f"{source}/manifest.json", "w").write('{"names": [')
    real(source, target)
os.replace = replace
"""


@shows("result-damaged")
def test_a_result_that_can_not_be_read(cluster: Path) -> None:
    job = submit(f"{DAMAGING}x = 1")
    assert job.wait(120), job
    assert job.state is JobState.FAILED
    verdict = job.verdict
    assert verdict["cause"] == "result-damaged" and str(job.run.path) in verdict["message"]
    with pytest.raises(exceptions.ResultError):
        job.result(120)
