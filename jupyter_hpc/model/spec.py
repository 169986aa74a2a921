"""How to run: the resources and whatever else a scheduler needs to know."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .declaration import KUBERNETES, SLURM, is_set, no_option, option
from .exceptions import OptionError
from .resources import Resources

_ON_KUBERNETES = "`%%k8s` runs the same cell on Kubernetes."


@dataclass(frozen=True)
class JobSpec:
    """How to run: resources and what else a scheduler needs to know.

    A field that is declared by :func:`option` is all that an option needs, but for the backend that acts on it.
    """

    resources: Resources = field(default_factory=Resources)
    partition: str | None = option(
        "-p --partition",
        "NAME",
        "partition (queue)",
        "scheduler",
        meaningless={
            KUBERNETES: "Nodes are chosen by the target's `node_selector`, queues by --queue.",
        },
    )
    account: str | None = option(
        "-A --account",
        "NAME",
        "account that pays",
        "scheduler",
        meaningless={KUBERNETES: "Kueue's queue decides who pays: --queue."},
    )
    qos: str | None = option(
        "--qos",
        "NAME",
        "quality of service",
        "scheduler",
        sbatch="-q",
        meaningless={KUBERNETES: "The target's `priority_class` is the next thing to it."},
    )
    constraint: str | None = option(
        "-C --constraint",
        "EXPR",
        "features that the nodes must have",
        "scheduler",
        meaningless={KUBERNETES: "Nodes are chosen by the target's `node_selector`, or by --patch."},
    )
    name: str | None = option("--name", "TEXT", "name of the job in the queue", "scheduler", sbatch="-J --job-name")
    array: str | None = option(
        "-a --array",
        "1-6%3",
        "tasks of one job; names come back as dicts from task to value",
        "scheduler",
        only=SLURM,
        instead="Write the loop into the cell, or use `%%slurm`.",
        changes_result=True,
    )
    dependency: str | None = option(
        "-d --dependency",
        "ID|afterok:ID",
        "start after these jobs (run ids or Slurm's)",
        "scheduler",
        only=SLURM,
        instead="Wait for the other job first: `%hpc result ID`.",
    )
    requeue: bool = option(
        "--requeue",
        None,
        "may be run again after preemption or a node's failure",
        "scheduler",
        only=SLURM,
        instead="Leave it out.",
    )
    signal: str | None = option(
        "--signal",
        "SIG@SECONDS",
        "TERM, USR1 or USR2 so long before the limit",
        "scheduler",
        only=SLURM,
        instead="Leave it out; at the end of --time the cell is told with SIGTERM.",
    )
    nice: int | None = option(
        "--nice",
        "N",
        "give way to others by so much priority; less than 0 is for operators",
        "scheduler",
        kind="number",
        bounds=(-2147483645, 2147483645),
        only=SLURM,
        instead="Leave it out.",
    )
    queue: str | None = option(
        "--queue",
        "NAME",
        "Kubernetes: Kueue's queue to wait in",
        "scheduler",
        only=KUBERNETES,
        instead=_ON_KUBERNETES,
    )
    retries: int | None = option(
        "--retries",
        "N",
        "Kubernetes: run again so often if the pod is lost",
        "scheduler",
        kind="number",
        bounds=(0, 999),
        only=KUBERNETES,
        instead=_ON_KUBERNETES,
    )
    patch: str | None = option(
        "--patch",
        "FILE|YAML",
        "Kubernetes: merge this into the pod",
        "scheduler",
        only=KUBERNETES,
        instead=_ON_KUBERNETES,
    )
    passthrough: tuple[str, ...] = option(
        "",  # a cell writes them after a lone --, and as #SBATCH lines
        "OPTION",
        "options of sbatch's own, as --begin=now+1hour",
        "scheduler",
        kind="append",
        only=SLURM,
        instead="Those are sbatch's own options: leave them out.",
        meaningless={KUBERNETES: "Further fields of the pod go into --patch."},
    )
    image: str | None = option(
        "--image",
        "IMAGE",
        "Kubernetes: container image to run in",
        "environment",
        only=KUBERNETES,
        instead=_ON_KUBERNETES,
        changes_result=True,
    )
    env: Mapping[str, str] = option(
        "--env",
        "K=V",
        "set an environment variable; repeatable",
        "environment",
        kind="pairs",
        sbatch="--export",
    )
    workdir: str | None = option(
        "--workdir",
        "DIR",
        "run there; unset: the notebook's directory",
        "environment",
        sbatch="-D --chdir",
        changes_result=True,
    )
    python: str | None = option(
        "--python", "PATH", "interpreter; unset: the kernel's own", "environment", changes_result=True
    )
    modules: tuple[str, ...] = option(
        "--module",
        "NAME",
        "load an environment module; repeatable",
        "environment",
        kind="append",
        meaningless={KUBERNETES: "The image brings the environment: --image."},
        changes_result=True,
    )
    conda: str | None = option(
        "--conda",
        "NAME|DIR",
        "run in this conda environment",
        "environment",
        meaningless={KUBERNETES: "The image brings the environment: --image, and --python for an interpreter in it."},
        changes_result=True,
    )
    venv: str | None = option("--venv", "DIR", "run in this virtual environment", "environment", changes_result=True)
    requirements: str | None = option(
        "--requirements",
        "auto|FILE",
        "build an environment once: the kernel's packages, or a requirements.txt or pylock.toml",
        "environment",
    )
    prologue: str = no_option("", changes_result=True)  # the configuration's own shell lines

    def to_record(self) -> dict[str, Any]:
        """Return the record; values of environment variables are not kept."""
        record = {k: v for k, v in asdict(self).items() if is_set(v)}
        record["resources"] = self.resources.to_json()
        if self.env:
            record["env"] = sorted(self.env)
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> JobSpec:
        """Return the spec of a record; variables come back with empty values, since none are kept."""
        known = {f.name for f in fields(cls)}
        found: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items() if k in known}
        found["resources"] = Resources.from_json(record.get("resources") or {})
        found["env"] = dict.fromkeys(record.get("env") or (), "")
        return cls(**found)


def first_line(text: str) -> str:
    """Return the first line of a cell that is no comment."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


LONGEST = 100_000  # the kernel allows 128 KiB for one variable


# what bash doesn't let a script set
_READ_ONLY = {"BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID"}


def checked(spec: JobSpec) -> JobSpec:
    """Return the spec if each of its values can reach the worker as it is.

    Raises
    ------
    OptionError
        Naming the option that can't.
    """
    for key, value in spec.env.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,255}", key, re.ASCII) or key.startswith("__hpc_"):
            raise OptionError(f"--env {key[:60]!r} is not a variable's name: letters, digits and _ only.")
        if key in _READ_ONLY:
            raise OptionError(f"--env {key} can't be set: the shell on the node keeps its own.")
        if "\0" in value or len(os.fsencode(value)) > LONGEST:
            raise OptionError(
                f"--env {key} holds a NUL character or more than {LONGEST:,} bytes, which no environment can."
            )
    named = {"--python": spec.python, "--venv": spec.venv, "--conda": spec.conda}
    for flag, text in (*named.items(), *(("--module", name) for name in spec.modules)):
        if text is None:
            continue
        if not text or "\0" in text or len(os.fsencode(text)) > 4000 or text.startswith("-"):
            raise OptionError(f"{flag} {text[:60]!r} can't be used: empty, too long, with a NUL or a leading '-'.")
    if spec.requirements and (spec.venv or spec.conda):
        other = "--venv" if spec.venv else "--conda"
        raise OptionError(
            f"--requirements and {other} each choose the environment, and only one can.",
            hint="Keep one of them.",
        )
    for flag, text in (("--name", spec.name), ("--workdir", spec.workdir)):
        if text is not None and ("\0" in text or any(0xD800 <= ord(c) < 0xDC80 for c in text)):
            raise OptionError(f"{flag} {text[:60]!r} holds a character that no command can take.")
    return spec
