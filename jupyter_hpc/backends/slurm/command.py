"""Slurm's commands: where they are, in which environment they run, how long they may take."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ... import process
from ...exceptions import TargetError

TIMEOUT_S = 25.0  # a dead controller takes squeue 9 s to notice
_INHERITED = ("SLURM_", "SBATCH_", "SRUN_", "SALLOC_", "PMI_", "PMIX_", "PMI2_", "SLURMD_")
_KEPT = {"SLURM_CONF"}


class NoAnswer(TargetError):
    """The command was started and did not end in time: what it asked for may have happened."""


def unreachable(where: str, words: str) -> TargetError:
    """Return the error for a Slurm that isn't where its configuration says."""
    return TargetError(
        f"Slurm was looked for through {where} and didn't answer: {words}",
        hint="`%%local` works now. `jupyter hpc practice up` starts a practice Slurm on this machine.",
    )


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what the allocation around the notebook put there.

    ``SLURM_*``, ``SBATCH_*`` and ``PMI*`` would change the new job's size and binding. ``SLURM_CONF`` names
    the cluster and stays.
    """
    kept = {k: v for k, v in environment.items() if k in _KEPT or not k.startswith(_INHERITED)}
    kept["SLURM_TIME_FORMAT"] = "standard"
    return kept


def scrubbed(environment: Mapping[str, str]) -> list[str]:
    """Return the names that :func:`clean_environment` leaves out."""
    clean = clean_environment(environment)
    return sorted(k for k in environment if k not in clean)


class SlurmCommand:
    """Runs one cluster's commands.

    Parameters
    ----------
    conf : str or None
        ``slurm.conf`` of the cluster; None for the machine's own.
    """

    def __init__(self, conf: str | None) -> None:
        self.conf = conf

    def environment(self) -> dict[str, str]:
        environment = clean_environment(os.environ)
        if self.conf:
            environment["SLURM_CONF"] = self.conf
        return environment

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float | None = None,
        cwd: str | None = None,
    ) -> process.Completed:
        """Run a command of the cluster.

        Raises
        ------
        TargetError
            If Slurm isn't installed here, or doesn't answer.
        """
        environment = self.environment()
        conf = environment.get("SLURM_CONF")
        if conf is not None and not os.path.isfile(conf):  # the commands would look elsewhere for a minute
            raise unreachable(self.where(), "there is no such file.")
        try:
            return await process.run(argv, timeout_s=timeout_s or TIMEOUT_S, env=environment, cwd=cwd)
        except process.CommandMissing:
            raise TargetError(
                f"There is no Slurm on this machine: {argv[0]} was looked for on PATH ({os.environ.get('PATH', '')}).",
                hint="`%%local` works now. `jupyter hpc practice up` starts a practice Slurm; "
                "a cluster's login node has a real one.",
            ) from None
        except process.CommandTimeout as error:
            raise NoAnswer(
                f"Slurm's controller doesn't answer: {error}.",
                hint="`scontrol ping` says whether it is up. Jobs that run go on.",
            ) from None

    def where(self) -> str:
        """Return in words which configuration is used."""
        if self.conf:
            return self.conf
        named = os.environ.get("SLURM_CONF")
        if named is not None:
            return f"{named!r} (SLURM_CONF)"
        for path in ("/etc/slurm/slurm.conf", "/etc/slurm-llnl/slurm.conf"):
            if Path(path).exists():
                return path
        return "no slurm.conf (SLURM_CONF is not set, /etc/slurm/slurm.conf doesn't exist)"
