"""The commands that pyslurm can stand in for: what they ask, and its answer as they would print it.

A command with an option that isn't here has no equivalent; then the command itself is run. So options after ``--``,
arrays and the like are sbatch's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....runtime.process import Completed

Request = dict[str, Any]


def request_for(argv: Sequence[str], environment: Mapping[str, str], cwd: str) -> Request | None:
    """Return what to ask pyslurm instead of running a command, or None where only the command will do."""
    known = {"squeue": _queue, "sacct": _accounting}
    if argv[0] == "sbatch":
        return _submit(argv[1:], environment, cwd)
    return known[argv[0]](argv[1:]) if argv[0] in known else None


def printed(argv: Sequence[str], answer: Mapping[str, Any]) -> Completed:
    """Return pyslurm's answer as the command's output."""
    if argv[0] == "sbatch":
        return Completed(tuple(argv), 0, f"{answer['id']}\n", "")
    end = "|" if argv[0] == "squeue" else ""
    lines = ("|".join(" ".join(str(cell).split("\n")) for cell in row) for row in answer["rows"])
    return Completed(tuple(argv), 0, "".join(f"{line}{end}\n" for line in lines), "")


def _queue(options: Sequence[str]) -> Request | None:
    match list(options):
        case ["-h", "-r", "--me", "-t", "all", "-O", fields]:
            names = fields.split(",")
            if all(re.fullmatch(r"[\w-]+:\|", name) for name in names):
                return {"do": "queue", "fields": [name[:-2] for name in names]}
    return None


def _accounting(options: Sequence[str]) -> Request | None:
    match list(options):
        case ["-X", "-n", "-P", "-j", ids, "-o", fields]:
            if re.fullmatch(r"[0-9]+(,[0-9]+)*", ids):
                return {
                    "do": "accounting",
                    "ids": [int(i) for i in ids.split(",")],
                    "fields": fields.split(","),
                }
    return None


def _gpus(value: str) -> int | str:
    kind, _, count = value.rpartition(":")
    return f"gpu:{kind}:{count}" if kind else int(count)


# sbatch's option → attribute of JobSubmitDescription, the values that mean the same there, and how to say them
_OPTIONS: dict[str, tuple[str, str, Callable[[str], object]]] = {
    "job-name": ("name", r".+", str),
    "comment": ("comment", r".+", str),
    "output": ("standard_output", r".+", str),
    "open-mode": ("log_files_open_mode", r"append|truncate", str),
    "chdir": ("working_directory", r"/.*", str),
    "partition": ("partitions", r"[^,]+(,[^,]+)*", lambda value: value.split(",")),
    "account": ("account", r".+", str),
    "qos": ("qos", r".+", str),
    "constraint": ("constraints", r".+", str),
    "nodes": ("nodes", r"[1-9][0-9]*", int),
    "ntasks": ("ntasks", r"[1-9][0-9]*", int),
    "ntasks-per-node": ("ntasks_per_node", r"[1-9][0-9]*", int),
    "cpus-per-task": ("cpus_per_task", r"[1-9][0-9]*", int),
    "mem": ("memory_per_node", r"[1-9][0-9]*M", lambda value: int(value[:-1])),
    "time": ("time_limit", r"[0-9]+-[0-9]{2}:[0-9]{2}:[0-9]{2}", str),
    "gpus": ("gpus", r"([^:,=]+:)?[1-9][0-9]*", _gpus),
}  # not gpus-per-task: how srun then binds tasks to GPUs is told by sbatch only
_FLAGS: dict[str, tuple[str, object]] = {
    "--exclusive": ("resource_sharing", "exclusive"),
    "--requeue": ("is_requeueable", True),
    "--no-requeue": ("is_requeueable", False),
}
_VARIABLES = {  # sbatch's option → what it sets for the job's own srun and for whoever counts cores
    "ntasks-per-node": "SLURM_NTASKS_PER_NODE",
    "cpus-per-task": "SLURM_CPUS_PER_TASK",
    "gpus": "SLURM_GPUS",
}


def _submit(words: Sequence[str], environment: Mapping[str, str], cwd: str) -> Request | None:
    count = next((i for i, word in enumerate(words) if not word.startswith("-")), None)
    if count is None:
        return None
    described = _described(words[:count])
    if described is None:
        return None
    described.setdefault("working_directory", cwd)
    described["environment"] = {**environment, **_variables(words[:count])}
    request: Request = {"do": "submit", "script": words[count], "arguments": list(words[count + 1 :])}
    request["description"] = described
    return request if _is_text(request) else None


def _is_text(request: Request) -> bool:
    """Whether all of it is Unicode: bytes of another encoding can't pass through pyslurm."""
    try:
        json.dumps(request, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _described(options: Sequence[str]) -> dict[str, Any] | None:
    described: dict[str, Any] = {}
    for option in options:
        if option in ("--parsable", "--export=ALL"):
            continue
        if option in _FLAGS:
            attribute, meaning = _FLAGS[option]
            described[attribute] = meaning
            continue
        key, _, value = option.removeprefix("--").partition("=")
        attribute, form, said = _OPTIONS.get(key, ("", "", str))
        if not attribute or attribute in described or not re.fullmatch(form, value, re.DOTALL):
            return None
        described[attribute] = said(value)
    return _sized(described)


_NO_VALUE = 0xFFFFFFFE  # Slurm's NO_VAL; a real maximum would make Slurm spread the tasks over as many nodes


def _variables(options: Sequence[str]) -> dict[str, str]:
    pairs = (option.removeprefix("--").partition("=") for option in options)
    return {_VARIABLES[key]: value for key, _, value in pairs if key in _VARIABLES}


def _sized(described: dict[str, Any]) -> dict[str, Any]:
    """Say what sbatch works out itself: pyslurm takes a missing ``nodes`` for exactly one, ``ntasks`` for one."""
    if "ntasks" not in described and ("nodes" in described or "ntasks_per_node" in described):
        described["ntasks"] = described.get("nodes", 1) * described.get("ntasks_per_node", 1)
    if "nodes" not in described and described.get("ntasks", 1) > 1:
        described["nodes"] = f"1-{_NO_VALUE}"
    return described
