"""``%hpc COMMAND``: the shared commands, and what only a kernel can do with a job."""

from __future__ import annotations

from typing import Any

from .. import commands
from ..config import store
from ..jobs import Job


def run_line(shell: Any, argv: list[str]) -> Any:
    """Run one ``%hpc`` line; ``attach`` returns the job, ``result`` puts its names into the kernel."""
    if not argv or argv[0] in ("-h", "--help"):
        print(commands.overview("%hpc"))  # noqa: T201 the answer of a line magic
        return None
    name, arguments = commands.parse(argv, "%hpc")
    if getattr(arguments, "text", None):
        print(arguments.text)  # noqa: T201
        return None
    if name in ("attach", "result") or (name == "logs" and arguments.follow):
        return _with_job(shell, name, arguments)
    print(commands.COMMANDS[name].run(arguments))  # noqa: T201
    return None


def _with_job(shell: Any, name: str, arguments: Any) -> Job | None:
    from .blocking import run_attached

    job = Job(store().find(arguments.run))
    if name == "attach" and not job.state.is_final:
        shell.user_ns["_hpc"] = job
        return run_attached(shell, job)
    if name == "logs":
        run_attached(shell, job, quiet=True)
        return None
    outcome = job.outcome(getattr(arguments, "timeout", None)) if name == "result" else None
    if outcome is None:  # attach to a job that has ended: the handle, and its card
        shell.user_ns["_hpc"] = job
        return job
    shell.user_ns.update(outcome.names)
    if outcome.error is not None:
        raise outcome.error
    shown = [outcome.value] if outcome.is_call else sorted(outcome.names)
    print("\n".join([f"received {', '.join(map(str, shown)) or 'no names'}", *outcome.notes()]))  # noqa: T201
    return None
