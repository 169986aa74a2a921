"""``%hpc COMMAND``: the shared commands, and what only a kernel can do with a job."""

from __future__ import annotations

import sys
from typing import Any

from ..commands import catalogue as commands
from ..commands.jobs import resubmitted
from ..jobs.job import Job
from ..model.printable import printable
from ..model.states import JobState
from ..rundir.store import store


def run_line(shell: Any, argv: list[str]) -> Any:
    """Run one ``%hpc`` line; ``attach``, ``resubmit`` and ``rerun`` watch a job, ``lineage`` and ``plot`` draw."""
    if not argv:
        print(commands.short_map("%hpc"))  # noqa: T201 the answer of a line magic
        return None
    if argv[0] in ("-h", "--help"):
        print(commands.overview("%hpc"))  # noqa: T201 the answer of a line magic
        return None
    name, arguments = commands.parse(argv, "%hpc")
    if getattr(arguments, "text", None):
        print(arguments.text)  # noqa: T201
        return None
    if name == "lineage" and not arguments.json:
        from ..lineage.show.view import lineage

        return lineage(arguments.what)
    if name == "jobs" and not arguments.json:
        from ..commands.job_list import listed

        return listed(arguments)
    if name == "plot":
        from ..commands.plot import drawn

        return drawn(arguments)
    if name == "rerun" and not arguments.detach:
        return _rerun(shell, arguments)
    if name in ("attach", "result", "resubmit") or (name == "logs" and arguments.follow):
        return _with_job(shell, name, arguments)
    print(commands.COMMANDS[name].answer(arguments))  # noqa: T201
    return None


def _rerun(shell: Any, arguments: Any) -> None:
    """Show the new job live, then compare; the kernel's names stay as they are."""
    from ..commands.lineage import changes
    from ..display.attached import run_attached
    from ..jobs.submit import rerun
    from ..submission.rerun import reproduction, warnings

    old = Job(store().find(arguments.run))
    for line in warnings(old.run, arguments.workdir):
        print(printable(f"! {line}"), file=sys.stderr)  # noqa: T201
    new = rerun(old, target=arguments.on, changes=changes(arguments), workdir=arguments.workdir)
    shell.user_ns["_hpc"] = new
    run_attached(shell, new, brings=False)
    print(printable(reproduction(old.run, new.run).text))  # noqa: T201


def _with_job(shell: Any, name: str, arguments: Any) -> Job | None:
    from ..display.attached import bring, run_attached

    job = resubmitted(arguments) if name == "resubmit" else Job(store().find(arguments.run))
    if name == "resubmit" or (name == "attach" and (not job.state.is_final or job.state is JobState.COMPLETED)):
        shell.user_ns["_hpc"] = job
        return run_attached(shell, job)
    if name == "logs":
        run_attached(shell, job, quiet=True)
        return None
    outcome = job.outcome(getattr(arguments, "timeout", None), here=True) if name == "result" else None
    if outcome is None:  # attach to a job that ended badly: the handle, and its card with what it raised
        shell.user_ns["_hpc"] = job
        return job
    bring(shell, outcome, force=arguments.force)
    if outcome.error is not None:
        raise outcome.error
    shown = (
        [outcome.value]
        if outcome.is_call
        else sorted({*outcome.names, *outcome.changes.names} - {*outcome.changes.kept})
    )
    lines = [f"received {', '.join(map(str, shown)) or 'no names'}", *outcome.notes()]
    print(printable("\n".join(lines)))  # noqa: T201
    return None
