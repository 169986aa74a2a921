"""Why a command could not be started: its program is missing, or what it needs to begin; and how one is ended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jupyter_hpc.backends.slurm.command import SlurmCommand
from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.runtime import portal, process


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SlurmCommand:
    (tmp_path / "sbatch").write_text("#!/bin/sh\n")
    (tmp_path / "sbatch").chmod(0o755)
    (tmp_path / "slurm.conf").touch()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return SlurmCommand(str(tmp_path / "slurm.conf"))


def test_a_folder_that_is_gone_is_not_a_slurm_that_is_missing(slurm: SlurmCommand, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(TargetError) as caught:
        portal.call(slurm.run(["sbatch"], cwd=str(gone)), 60)
    assert caught.value.message == f"sbatch could not be started here: {gone}: No such file or directory."
    assert portal.call(slurm.run(["sbatch"], cwd=str(tmp_path)), 60).status == 0


def test_neither_is_what_may_not_be_opened(slurm: SlurmCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken machine, whose /dev/null is for root only."""
    refused = PermissionError(13, "Permission denied", "/dev/null")

    async def start(*_: object, **__: object) -> None:
        raise refused

    monkeypatch.setattr(process.asyncio, "create_subprocess_exec", start)
    with pytest.raises(TargetError, match="sbatch could not be started here: /dev/null: Permission denied"):
        portal.call(slurm.run(["sbatch"]), 60)


def test_a_program_that_is_missing(slurm: SlurmCommand) -> None:
    with pytest.raises(TargetError, match=r"There is no Slurm on this machine: sbotch was looked for on PATH \("):
        portal.call(slurm.run(["sbotch"]), 60)


def test_a_program_that_may_not_run_is_none(slurm: SlurmCommand, tmp_path: Path) -> None:
    (tmp_path / "squeue-of-ours").touch()
    with pytest.raises(TargetError, match="There is no Slurm on this machine: squeue-of-ours"):
        portal.call(slurm.run(["squeue-of-ours"]), 60)


def test_one_that_ends_just_before_it_is_killed_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def late(*_: object) -> None:
        raise asyncio.TimeoutError

    async def end() -> str:
        child = await process.Child.start(["true"], env={})
        await child._child.wait()
        with monkeypatch.context() as patch:
            patch.setattr(process.asyncio, "wait_for", late)
            await child.stop()
        return child.how_it_ended()

    assert portal.call(end(), 60) == "it ended with status 0"
