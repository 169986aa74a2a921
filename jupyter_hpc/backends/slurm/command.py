"""Slurm's commands: where they are, in which environment they run, how long they may take."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...model.exceptions import TargetError
from ...runtime import process
from ..base import NoAnswer
from ..budget import Budget
from .pyslurm.client import Pyslurm

TIMEOUT_S = 25.0  # a dead controller takes squeue 9 s to notice
_INHERITED = ("SLURM_", "SBATCH_", "SRUN_", "SALLOC_", "PMI_", "PMIX_", "PMI2_", "SLURMD_")
_KEPT = {"SLURM_CONF"}
QUESTIONS = {"squeue", "sacct", "scontrol", "sinfo"}  # what counts; sbatch and scancel are acts of the user
# of a controller that is down, dies while it answers, or is about to take over
_AWAY = re.compile(
    r"unable to contact|communication (?:connection|shutdown) failure|message (?:send|receive) failure"
    r"|missing socket|socket timed out|zero bytes were transmitted|unexpected message received|standby mode"
    r"|connection (?:refused|reset|timed out|aborted)|endpoint is not connected|broken pipe|no route to host"
    r"|insufficient data|longer than data received",
    re.IGNORECASE,
)
_AWAY_HINT = "`scontrol ping` says whether it is up. Jobs that run go on."
_START_HINT = "Is it still there, and may you use it? What was asked for was not done."


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
    budget : Budget
        Where questions are counted.
    pyslurm : Pyslurm or None
        What is asked first.
    """

    def __init__(self, conf: str | None, budget: Budget | None = None, pyslurm: Pyslurm | None = None) -> None:
        self.conf = conf
        self.budget = budget or Budget(None)
        self.pyslurm = pyslurm

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
        stdin: bytes | None = None,
        is_act: bool = False,
    ) -> process.Completed:
        """Run a command of the cluster.

        Parameters
        ----------
        is_act : bool
            A question that belongs to an act of the user, which is not counted.

        Raises
        ------
        TargetError
            If Slurm isn't installed here.
        NoAnswer
            If its controller doesn't answer: what was asked for may have happened.
        """
        environment = self.environment()
        conf = environment.get("SLURM_CONF")
        if conf is not None and not os.path.isfile(conf):  # the commands would look elsewhere for a minute
            raise unreachable(self.where(), "there is no such file.")
        if argv[0] in QUESTIONS and not is_act:
            self.budget.spend()
        limit_s = timeout_s or TIMEOUT_S
        try:
            if self.pyslurm is not None and stdin is None:
                answer = await self.pyslurm.run(argv, env=environment, cwd=cwd, timeout_s=limit_s)
                if answer is not None:
                    return answer
            done = await process.run(argv, timeout_s=limit_s, env=environment, cwd=cwd, stdin=stdin)
        except process.CommandMissing as error:
            if not error.is_program:
                raise TargetError(f"{argv[0]} could not be started here: {error}.", hint=_START_HINT) from None
            raise TargetError(
                f"There is no Slurm on this machine: {argv[0]} was looked for on PATH ({os.environ.get('PATH', '')}).",
                hint="`%%local` works now. `jupyter hpc practice up` starts a practice Slurm; "
                "a cluster's login node has a real one.",
            ) from None
        except process.CommandTimeout as error:
            raise NoAnswer(f"Slurm's controller doesn't answer: {error}.", hint=_AWAY_HINT) from None
        if done.status != 0 and argv[0] not in ("sacct", "sacctmgr") and _AWAY.search(done.err):
            raise NoAnswer(f"Slurm's controller doesn't answer: {done.last_line}", hint=_AWAY_HINT)
        return done

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
