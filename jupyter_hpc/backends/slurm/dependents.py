"""The user's jobs that wait for another one: made to wait for the one that took its place."""

from __future__ import annotations

import re

from .command import SlurmCommand

_TOLD = re.compile(r"\((?:un)?fulfilled\)|\(failed\)")  # how each part of a dependency stands


async def repointed(command: SlurmCommand, old: str, new: str) -> dict[str, str]:
    """Let the jobs that wait for one job wait for another.

    Returns
    -------
    dict
        Native id → nothing, or Slurm's words where it refused.

    Raises
    ------
    NoAnswer
        If Slurm doesn't answer.
    """
    asked = ["squeue", "-h", "--me", "-t", "PENDING", "-o", "%F|%E"]
    listed = await command.run(asked, is_act=True)
    found: dict[str, str] = {}
    for line in dict.fromkeys(listed.out.split("\n")):
        native_id, _, written = line.strip().partition("|")
        dependency = instead(written, old, new)
        if native_id.isdecimal() and dependency != _TOLD.sub("", written):
            done = await command.run(
                ["scontrol", "update", f"JobId={native_id}", f"Dependency={dependency}"], is_act=True
            )
            found[native_id] = "" if done.status == 0 else done.last_line or "it gave no reason"
    return found


def instead(written: str, old: str, new: str) -> str:
    """Return a dependency as sbatch takes it, with one job's id for another's.

    Parameters
    ----------
    written : str
        As squeue has it: ``"afterok:7_*(unfulfilled),afterany:8(failed)"``.
    """
    return re.sub(rf"(?<=:){re.escape(old)}(?![0-9])", new, _TOLD.sub("", written))
