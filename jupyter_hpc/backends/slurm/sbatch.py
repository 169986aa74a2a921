"""From a spec to sbatch's arguments. Values go into argv as they are; sbatch is never given a shell line."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence

from ...model.exceptions import OptionError
from ...model.resources import slurm_time
from ...model.spec import JobSpec
from ...rundir.run import PARTS, Run

KILL_WAIT_S = 30  # as a Slurm waits, unless its site says otherwise
_EARLY_S = 60  # when it sends --signal, where that says nothing
NAME_BYTES = 1000  # slurmctld refuses longer job names' requests by their whole size, not by a clear word
_OWN = ("--output", "--error", "--comment", "--open-mode", "--parsable", "--wrap", "--wait", "--array")
_OWN_SHORT = ("-o", "-e", "-W", "-a")
# a word after one of these would be taken for the script
_WITHOUT_VALUE = {
    *(
        "--exclusive",
        "--hold",
        "--requeue",
        "--no-requeue",
        "--oversubscribe",
        "--overcommit",
        "--contiguous",
    ),
    *("--spread-job", "--use-min-nodes", "--quiet", "--verbose", "--reboot", "--nice", "--propagate"),
    *("--get-user-env", "--ignore-pbs", "--no-kill", "--test-only", "--help", "--usage", "--version"),
    *("-H", "-k", "-O", "-Q", "-s", "-v", "-h", "-V"),
}


def sbatch_arguments(run: Run, spec: JobSpec) -> list[str]:
    """Return sbatch's options.

    Raises
    ------
    OptionError
        If a value can't be given to sbatch.
    """
    resources = spec.resources
    name = spec.name or f"hpc-{run.id}"
    wanted: list[tuple[str, object]] = [
        ("job-name", _text("--name", name)),
        ("comment", f"jupyter_hpc:{run.id}"),
        ("output", _output(run, spec)),
        ("open-mode", "append"),
        ("export", "ALL"),
        ("chdir", _text("--workdir", spec.workdir) if spec.workdir else None),
        ("partition", _word("--partition", spec.partition)),
        ("account", _word("--account", spec.account)),
        ("qos", _word("--qos", spec.qos)),
        ("constraint", _word("--constraint", spec.constraint)),
        ("array", spec.array),
        ("dependency", spec.dependency),
        ("kill-on-invalid-dep", "yes" if spec.dependency else None),  # else it would wait for ever
        ("signal", _signal(spec.signal) if spec.signal and not held_limit(spec)[0] else None),
        ("nice", spec.nice),
        ("nodes", resources.nodes),
        ("ntasks", resources.tasks),
        ("ntasks-per-node", resources.tasks_per_node),
        ("cpus-per-task", resources.cpus),
        ("mem", f"{math.ceil(resources.memory / 1024**2)}M" if resources.memory else None),
        ("time", slurm_time(resources.time) if resources.time else None),
        ("gpus", _gpus(resources.gpus, resources.gpu_type)),
        ("gpus-per-task", _gpus(resources.gpus_per_task, resources.gpu_type)),
    ]
    arguments = [f"--{key}={value}" for key, value in wanted if value is not None]
    if resources.exclusive:
        arguments.append("--exclusive")
    arguments.append("--requeue" if spec.requeue else "--no-requeue")  # many sites' default is to requeue
    return [*arguments, *checked_passthrough(spec.passthrough)]


def held_limit(spec: JobSpec) -> tuple[int, str]:
    """Return the seconds after which the batch script itself ends the cell, and the signal before that.

    Slurm counts whole minutes, and looks at limits twice a minute: ``--time 20s`` would be 60 to 90. Its own limit
    stays above ours. None (0) for limits of whole minutes.
    """
    seconds = spec.resources.time or 0
    if not seconds % 60:
        return 0, ""
    signal, _, early = _signal(spec.signal).removeprefix("B:").partition("@") if spec.signal else ("", "", "")
    return seconds, f"{signal}@{early or _EARLY_S}" if signal else ""


def may_restart(arguments: Sequence[str]) -> bool:
    """Whether Slurm may start the job again by itself: the last such option holds, which sbatch takes abbreviated."""
    said = [a for a in arguments if _means(a, "--requeue", 5) or _means(a, "--no-requeue", 6)]
    return bool(said) and _means(said[-1], "--requeue", 5)


def _means(argument: str, option: str, shortest: int) -> bool:
    return option.startswith(argument) and len(argument) >= shortest


def _output(run: Run, spec: JobSpec) -> str:
    if not spec.array:
        return _filename(str(run.scheduler_log))
    return f"{_filename(str(run.path / PARTS / run.id))}_%a/{run.scheduler_log.name}"


def _signal(written: str) -> str:
    """To the batch shell, which passes it on to the worker: Slurm itself would only tell steps of srun."""
    match = re.fullmatch(r"(?:B:)?(?:SIG)?(TERM|USR1|USR2)(@\d{1,5})?", written.strip(), re.IGNORECASE)
    if match is None:
        raise OptionError(
            f"--signal {written[:40]!r} can't be sent; allowed are TERM, USR1 and USR2.",
            hint="`--signal TERM@60` brings names back a minute before the limit; a handler of the cell's own "
            "gets USR1 and USR2.",
        )
    return f"B:{match[1].upper()}{match[2] or ''}"


def _gpus(count: int | None, kind: str | None) -> str | None:
    if count is None:
        return None
    return f"{_word('--gpus', kind)}:{count}" if kind else str(count)


def _text(option: str, value: str) -> str:
    if "\0" in value or len(value.encode()) > NAME_BYTES:
        raise OptionError(
            f"{option} is {len(value)} characters long or holds a NUL; at most {NAME_BYTES} bytes are allowed."
        )
    return value


def _word(option: str, value: str | None) -> str | None:
    """Names of partitions, accounts and the like: what Slurm itself would accept, or a sentence."""
    if value is None:
        return None
    if not value or len(value) > 256 or any(c.isspace() or not c.isprintable() for c in value):
        raise OptionError(
            f"{option} {value[:60]!r} can't be a name that Slurm knows.",
            hint="Names have no spaces and at most 256 characters.",
        )
    return value


def _filename(path: str) -> str:
    """Slurm expands ``%j`` and the like in file names; a backslash would switch that off and be dropped."""
    if "\\" in path:
        raise OptionError(
            f"The run directory {path} has a backslash in its path, which Slurm can't take in a file name.",
            hint="Set JUPYTER_HPC_ROOT.",
        )
    return path.replace("%", "%%")


def checked_passthrough(arguments: tuple[str, ...]) -> list[str]:
    """Return the options after ``--``; those that would take the job away from us are refused."""
    takes_value = False
    for argument in arguments:
        if "\0" in argument or len(argument.encode("utf-8", "surrogateescape")) > NAME_BYTES:
            raise OptionError(f"An option after -- holds a NUL or more than {NAME_BYTES} bytes.")
        name, equals, _ = argument.partition("=")
        if not argument.startswith("-"):
            if not takes_value:
                raise OptionError(
                    f"{argument[:60]!r} after -- is not an option of sbatch.", hint="Write --option=value."
                )
            takes_value = False
            continue
        if _is_own(name):
            hint = "Write it before the lone --." if name in ("-a", "--array") else ""
            raise OptionError(f"{name[:60]} can't be passed on: jupyter_hpc sets it itself.", hint=hint)
        if argument in ("-", "--"):
            raise OptionError(f"A lone {argument} after -- is not an option of sbatch.")
        is_long = argument.startswith("--")
        takes_value = name not in _WITHOUT_VALUE and not (equals if is_long else argument[2:])
    return list(arguments)


def _is_own(name: str) -> bool:
    """Whether sbatch would take this for an option of ours: it knows abbreviations, and ``-oFILE``."""
    if name.startswith("--"):
        return len(name) > 3 and any(own.startswith(name) for own in _OWN)
    return name[:2] in _OWN_SHORT


def leading_directives(text: str) -> tuple[str, ...]:
    """Return the options of the ``#SBATCH`` lines at the top of a cell, as sbatch reads them.

    Raises
    ------
    OptionError
        If a line's quotes don't close.
    """
    found: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#SBATCH"):
            try:
                found += shlex.split(stripped.removeprefix("#SBATCH"), comments=True)
            except ValueError as error:
                raise OptionError(f"{stripped[:80]!r}: {error}.") from None
        elif stripped and not stripped.startswith("#"):
            break
    return tuple(found)
