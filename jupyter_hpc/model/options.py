"""The options of the cell magics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["value", "flag", "append", "names"]


Group = Literal["resources", "scheduler", "environment", "names", "behaviour"]


@dataclass(frozen=True)
class Option:
    """One option: how it is written, where its value goes, and what it says about itself."""

    flags: tuple[str, ...]
    dest: str
    metavar: str | None
    kind: Kind
    help: str
    group: Group
    resource: bool = False


def _group(group: Group, *rows: tuple[str, str, str | None, Kind, str]) -> tuple[Option, ...]:
    return tuple(
        Option(tuple(flags.split()), dest, metavar, kind, text, group, group == "resources")
        for flags, dest, metavar, kind, text in rows
    )


CELL_OPTIONS: tuple[Option, ...] = (
    *_group(
        "resources",
        ("--gpus", "gpus", "N|TYPE:N", "value", "gpus for the whole job: 2, a100 or a100:2"),
        ("--gpus-per-task", "gpus_per_task", "N|TYPE:N", "value", "instead of --gpus"),
        ("--cpus", "cpus", "N", "value", "cpus per task"),
        ("--mem", "memory", "SIZE", "value", "per node: 512M, 4G, 1.5T; a plain number is MiB"),
        ("--time", "time", "TIME", "value", "90s, 1h30m, 2d, 2-12:00; a plain number is minutes"),
        ("--nodes", "nodes", "N", "value", "number of nodes"),
        ("--tasks", "tasks", "N", "value", "tasks in the whole job"),
        ("--tasks-per-node", "tasks_per_node", "N", "value", "tasks on each node"),
        ("--exclusive", "exclusive", None, "flag", "whole nodes, shared with no other job"),
    ),
    *_group(
        "scheduler",
        ("--on", "on", "TARGET", "value", "where to run; unset: the magic's own target"),
        ("-p --partition", "partition", "NAME", "value", "partition (queue)"),
        ("-A --account", "account", "NAME", "value", "account that pays"),
        ("--qos", "qos", "NAME", "value", "quality of service"),
        ("-C --constraint", "constraint", "EXPR", "value", "features that the nodes must have"),
        ("--name", "name", "TEXT", "value", "name of the job in the queue"),
        (
            "-a --array",
            "array",
            "1-6%3",
            "value",
            "tasks of one job; names come back as dicts from task to value",
        ),
        (
            "-d --dependency",
            "dependency",
            "ID|afterok:ID",
            "value",
            "start after these jobs (run ids or Slurm's)",
        ),
        ("--requeue", "requeue", None, "flag", "may be run again after preemption or a node's failure"),
        ("--signal", "signal", "SIG@SECONDS", "value", "TERM, USR1 or USR2 so long before the limit"),
        ("--queue", "queue", "NAME", "value", "Kubernetes: Kueue's queue to wait in"),
        ("--retries", "retries", "N", "value", "Kubernetes: run again so often if the pod is lost"),
        ("--patch", "patch", "FILE|YAML", "value", "Kubernetes: merge this into the pod"),
    ),
    *_group(
        "environment",
        ("--image", "image", "IMAGE", "value", "Kubernetes: container image to run in"),
        ("--env", "env", "K=V", "append", "set an environment variable; repeatable"),
        ("--workdir", "workdir", "DIR", "value", "run there; unset: the notebook's directory"),
        ("--python", "python", "PATH", "value", "interpreter; unset: the kernel's own"),
        ("--module", "modules", "NAME", "append", "load an environment module; repeatable"),
        ("--conda", "conda", "NAME|DIR", "value", "run in this conda environment"),
        ("--venv", "venv", "DIR", "value", "run in this virtual environment"),
        (
            "--requirements",
            "requirements",
            "auto|FILE",
            "value",
            "build an environment once: the kernel's packages, or a requirements.txt or pylock.toml",
        ),
    ),
    *_group(
        "names",
        ("-i --input", "inputs", "A,B", "names", "send these too, besides what the cell reads"),
        ("-o --output", "outputs", "A,B", "names", "bring back only these; unset: all assigned"),
        ("-O --no-outputs", "no_outputs", None, "flag", "bring back no names"),
        ("--no-auto", "auto", None, "flag", "send only what -i names; don't look for names"),
        (
            "--reads",
            "reads",
            "PATH",
            "append",
            "a file or folder that the cell reads, for the record; repeatable",
        ),
        ("--writes", "writes", "PATH", "append", "one that it writes, for the record; repeatable"),
    ),
    *_group(
        "behaviour",
        ("--detach", "detach", None, "flag", "return the job at once; `%hpc result` brings its names"),
        (
            "--reuse",
            "reuse",
            None,
            "flag",
            "take the result of an earlier run with the same code, inputs and environment, if there is one",
        ),
        ("--dry-run", "dry_run", None, "flag", "show what would be sent; submit nothing"),
        ("--quiet", "quiet", None, "flag", "only the cell's own output: no panel, no card"),
        ("-h --help", "help", None, "flag", "show this text"),
    ),
)


def _find(token: str) -> Option | None:
    """The option that a token begins: ``--time``, ``--time=3``, ``-p`` or ``-pgpu``."""
    name = token.partition("=")[0]
    names = (name,) if name[:2] == "--" else (name, name[:2])
    return next((o for n in names for o in CELL_OPTIONS if n in o.flags), None)
