"""The commands that ``%hpc`` and ``jupyter hpc`` share. Each returns text; the shells only show it."""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from ..follow.glance import refresh
from ..jobs.job import Job, JobState, first_line
from ..jobs.results import disk_use
from ..model.exceptions import HPCError, JobNotFound, OptionError, TargetError, help_command
from ..model.resources import format_size, format_time
from ..targets.target import settings, store, targets
from .command import Command, table, takes_run
from .lineage import COMMANDS as LINEAGE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{self.prog}: {message}.", hint=self.format_usage().strip())


def parse(argv: Sequence[str], prog: str) -> tuple[str, argparse.Namespace]:
    """Return the command's name and its arguments.

    Raises
    ------
    OptionError
        If there is no such command, or its arguments are wrong.
    """
    name, *rest = argv
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise OptionError(
            f"There is no command {name[:60]!r}.", hint=f"{hint}Commands: {', '.join(COMMANDS)}."
        )
    command = COMMANDS[name]
    parser = _Parser(prog=f"{prog} {name}", description=command.help, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    command.arguments(parser)
    if {"-h", "--help"} & set(rest):
        return name, argparse.Namespace(help=True, text=parser.format_help())
    return name, parser.parse_args(rest)


_MAP = {
    "look": ("jobs", "show", "logs", "why"),
    "act": ("attach", "result", "cancel"),
    "here": ("targets", "config", "doctor", "help", "clean", "practice"),
}
_WITH_ID = {"show": " ID", "logs": " ID", "why": " [ID]", "attach": " ID", "result": " ID", "cancel": " ID"}


def short_map(prog: str) -> str:
    """Return all commands on a handful of lines."""
    rest = tuple(name for name in COMMANDS if name not in {n for names in _MAP.values() for n in names})
    rows = [("cells", "%%slurm · %%k8s · %%local · %%hpc --on TARGET      --help on each")]
    for title, names in {**_MAP, "more": rest}.items():
        if names:
            rows.append((title, f"{prog} " + " · ".join(name + _WITH_ID.get(name, "") for name in names)))
    rows.append(("help", f"{prog} --help · {prog} COMMAND --help · {prog} help PLACE"))
    return "\n".join(f"{title:6} {text}" for title, text in rows)


def overview(prog: str) -> str:
    """Return all commands, each with what it does."""
    width = max(map(len, COMMANDS))
    lines = [f"  {prog} {name.ljust(width)}  {command.help}" for name, command in COMMANDS.items()]
    return "\n".join(["Cells: %%slurm, %%k8s, %%local, %%hpc --on TARGET (--help on each). Then:", *lines])


def _job(arguments: argparse.Namespace) -> Job:
    return Job(store().find(arguments.run))


def _jobs(arguments: argparse.Namespace) -> str:
    runs = store()
    found = [Job(run) for run in runs.runs() if run.record_or_none()][: arguments.number]
    damaged = [f"{run.id} can't be read: {why}." for run, why in runs.damaged()]
    if not found:
        return "\n".join(["No jobs yet.", *damaged])
    rows = [("id", "target", "native", "state", "time", "name or code", "reason")]
    for job, status in zip(found, refresh(found)):
        record = job.record
        took = format_time((status.ended_at or time.time()) - status.started_at) if status.started_at else ""
        text = record.get("name") or first_line(record["code"]["text"])
        rows.append(
            (
                job.id,
                record["target"]["name"],
                status.native_id.partition(".")[0],
                status.state.value,
                took,
                text[:36],
                status.reason[:60],
            )
        )
    return "\n".join([table(rows), *damaged])


def _show(arguments: argparse.Namespace) -> str:
    from ..views.summary import facts
    from ..views.tasks import tasks_text

    job = _job(arguments)
    record, status = job.record, job.status
    verdict = job.verdict
    lines = [job.describe(), *(f"→ {x}" for x in (verdict.get("hint"),) if x)]
    lines += [*tasks_text(job.tasks), *facts(job)]
    lines += [f"evidence: {x}" for x in verdict.get("evidence", [])]
    asked = ", ".join(f"{k}={v}" for k, v in record["spec"].items() if k not in ("resources", "prologue"))
    lines.append(f"asked for: {record['spec']['resources'] or 'default resources'} {asked}".rstrip())
    sent = ", ".join(f"{i['name']} ({format_size(i['nbytes'])})" for i in record["inputs"])
    lines += [
        f"sent: {sent or 'no names'}",
        f"directory: {job.run.path}",
        "",
        record["code"]["text"].rstrip(),
    ]
    if traceback := (record.get("exception") or {}).get("traceback"):
        lines += ["", traceback.rstrip()]
    if status.state.is_final and record.get("command"):
        lines += ["", "submitted with: " + " ".join(record["command"][:2]) + " …"]
    return "\n".join(lines)


def _logs(arguments: argparse.Namespace) -> str:
    job = _job(arguments)
    text = job.logs()
    if arguments.scheduler:
        path = job.run.scheduler_log
        return path.read_text(errors="replace") if path.exists() else ""
    if not text and job.status.state is JobState.PENDING:
        return f"{job.id} has not started: {job.reason or 'pending'}"
    return text


def _logs_arguments(parser: argparse.ArgumentParser) -> None:
    takes_run(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the job ends")
    parser.add_argument(
        "--scheduler", action="store_true", help="what the scheduler and the batch script said"
    )


def _attach(arguments: argparse.Namespace) -> str:
    return _job(arguments).describe()


def _why(arguments: argparse.Namespace) -> str:
    from ..views.waiting import why_text

    return why_text(_job(arguments) if arguments.run else _newest_pending())


def _newest_pending() -> Job:
    jobs = [Job(run) for run in store().runs() if run.record_or_none()]
    if not jobs:
        raise JobNotFound("There are no jobs yet.")
    pending = (job for job, status in zip(jobs, refresh(jobs)) if status.state is JobState.PENDING)
    return next(pending, jobs[0])


def _why_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", help="as for show; unset: the newest job that waits")


def _cancel(arguments: argparse.Namespace) -> str:
    job = _job(arguments)
    if job.state.is_final:
        return f"{job.id} has ended already ({job.state})."
    job.cancel()
    return f"Asked {job.target} to cancel {job.native_id or job.id}."


def _resubmit(arguments: argparse.Namespace) -> str:
    new = resubmitted(arguments)
    return f"Submitted again as {new.id} ({new.target} job {new.native_id})."


def resubmitted(arguments: argparse.Namespace) -> Job:
    """Submit a job again as the arguments say."""
    from ..submit.resubmit import OPTIONS, resubmit

    resources = {name: getattr(arguments, name) for name in OPTIONS.values()}
    return resubmit(_job(arguments), target=arguments.on, resources=resources)


def _resubmit_arguments(parser: argparse.ArgumentParser) -> None:
    from ..submit.resubmit import OPTIONS

    takes_run(parser)
    for option, name in OPTIONS.items():
        parser.add_argument(option, dest=name, help="instead of what it asked for")
    parser.add_argument("--on", metavar="TARGET", help="another target")


def _result(arguments: argparse.Namespace) -> str:
    job = _job(arguments)
    outcome = job.outcome(arguments.timeout)
    if outcome.error is not None:
        raise outcome.error
    names = (
        [outcome.value] if outcome.is_call else [f"{k} = {str(v)[:200]}" for k, v in outcome.names.items()]
    )
    return "\n".join([*map(str, names), *outcome.notes()])


def _result_arguments(parser: argparse.ArgumentParser) -> None:
    takes_run(parser)
    parser.add_argument("--timeout", type=float, help="seconds to wait for a job that has not ended")
    parser.add_argument(
        "--force", metavar="NAMES", type=lambda names: tuple(names.split(",")), default=(),
        help="take the job's changes of these, though they were changed here meanwhile",
    )  # fmt: skip


def _targets(arguments: argparse.Namespace) -> str:
    from ..runtime import portal

    rows = [("target", "backend", "state", "from")]
    for name, found in targets().items():
        try:
            words = portal.call(found.make_backend().check(), 15)
        except (HPCError, TimeoutError) as error:
            words = f"not there: {str(error).splitlines()[0]}"
        rows.append((name, found.backend, words, found.source))
    return table(rows)


def _config(arguments: argparse.Namespace) -> str:
    rows = [("setting", "value", "from")]
    for each in settings():
        value = each.value
        if each.name.startswith("targets."):
            value = {
                "backend": value.backend,
                **value.settings,
                **({"defaults": value.defaults} if value.defaults else {}),
            }
        rows.append((each.name, str(value), each.source))
    return table(rows)


def _sign(row: str) -> str:
    """A target that nobody configured may be missing; one that somebody did is at fault."""
    if "not there" not in row:
        return "✓ "
    return "– " if row.endswith("built in") else "✗ "


def _doctor(arguments: argparse.Namespace) -> str:
    from ..practice import missing_packages

    lines = [f"✓ Python {sys.version.split()[0]} at {sys.executable}"]
    runs = store()
    try:
        runs.prepare()
        free = shutil.disk_usage(runs.root).free
        lines.append(f"✓ run directories in {runs.root} ({format_size(free)} free)")
    except HPCError as error:
        lines += [f"✗ {error.message} {error.hint}", f"  → {help_command('run-directories')}"]
    rows = [_sign(row) + row for row in _targets(arguments).splitlines()[1:]]
    lines += rows
    if any(row.startswith("✗") for row in rows):
        lines.append(f"  → {help_command('target')}")
    elif all(row.startswith("–") for row in rows if " local " not in row):
        lines.append(f"  → {help_command('no-cluster')}")
    missing = missing_packages()
    if missing:
        lines.append(f"– no practice Slurm: apt-get install -y --no-install-recommends {' '.join(missing)}")
        lines.append(f"  → {help_command('practice')}")
    else:
        lines.append("✓ a practice Slurm can be started here: jupyter hpc practice up")
    try:
        import ipywidgets

        lines.append(f"✓ ipywidgets {ipywidgets.__version__}: live panels")
    except ImportError:
        lines.append("– no ipywidgets: jobs are shown as text; pip install ipywidgets")
        lines.append(f"  → {help_command('ipywidgets')}")
    return "\n".join(lines)


def _clean(arguments: argparse.Namespace) -> str:
    runs = store()
    kept = time.time() - arguments.older_than * 86400
    jobs = [Job(run) for run in runs.runs()]
    gone: list[Job] = []
    for job, status in zip(jobs, refresh(jobs)):
        record = job.run.record_or_none()
        created = float(record.get("created", 0)) if record else job.run.path.stat().st_mtime
        if status.state.is_final and created < kept:
            gone.append(job)
    freed = sum(disk_use(job.run.path) for job in gone)
    total = disk_use(runs.root)
    lines = [f"{runs.root} uses {format_size(total)} in {len(jobs)} runs."]
    if not arguments.yes:
        lines += [
            f"would go: {job.id}  {first_line((job.run.record_or_none() or {}).get('code', {}).get('text', ''))[:60]}"
            for job in gone
        ]
        lines.append(
            f"{len(gone)} ended runs older than {arguments.older_than:g} days, {format_size(freed)}."
            " Add --yes to remove them."
        )
        return "\n".join(lines)
    for job in gone:
        runs.remove(job.run)
    runs.drop_unused()
    lines.append(f"Removed {len(gone)} runs.")
    return "\n".join(lines)


def _clean_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--older-than", type=float, default=30.0, metavar="DAYS", help="only runs older than this (30)"
    )
    parser.add_argument("--yes", action="store_true", help="remove; without it, only say what would go")


def _practice(arguments: argparse.Namespace) -> str:
    from .. import practice

    if arguments.kubernetes:
        return _practice_kubernetes(arguments.action)
    if arguments.action == "up":
        return f"{practice.up().detail} `%%slurm` cells run there now; `jupyter hpc practice down` stops it."
    if arguments.action == "down":
        return "The practice Slurm is stopped." if practice.down() else "No practice Slurm was running."
    if arguments.action == "env":
        import shlex

        return "\n".join(f"export {k}={shlex.quote(v)}" for k, v in practice.environment().items())
    return practice.status().detail


def _practice_kubernetes(action: str) -> str:
    from ..practice import kubernetes

    if action == "up":
        cluster = kubernetes.up(say=_say)
        detail = kubernetes.status(cluster.directory).detail
        return f"{detail} `%%k8s` cells run there now; `jupyter hpc practice down --kubernetes` stops it."
    if action == "down":
        return (
            "The practice Kubernetes is stopped."
            if kubernetes.down()
            else "No practice Kubernetes was running."
        )
    found = kubernetes.status()
    if action == "env":
        import shlex

        if found.conf is None:
            raise TargetError(found.detail, hint="Start it with: jupyter-hpc practice up --kubernetes")
        return f"export KUBECONFIG={shlex.quote(str(found.conf))}"
    return found.detail


def _say(text: str) -> None:
    """Tell what takes long, before it does."""
    sys.stderr.write(f"{text}\n")


def _practice_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("up", "down", "status", "env"))
    parser.add_argument(
        "--kubernetes", action="store_true", help="a Kubernetes instead; takes Linux, root and Go"
    )


def _help(arguments: argparse.Namespace) -> str:
    from .troubles import places, section

    if arguments.place is None:
        return "\n".join([overview("%hpc"), "", f"Places of the page of troubles: {', '.join(places())}."])
    return section(arguments.place)


def _help_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", nargs="?", help="where an error or doctor sent you, such as out-of-memory")


def _nothing(parser: argparse.ArgumentParser) -> None:
    pass


COMMANDS: dict[str, Command] = {
    "jobs": Command(
        "every job, newest first, from every kernel and backend",
        lambda p: p.add_argument("-n", "--number", type=int, default=20, help="how many (20)"),
        _jobs,
    ),
    "show": Command("one job: state, cause, what it asked, sent and brought", takes_run, _show),
    "logs": Command("what the cell wrote", _logs_arguments, _logs),
    "attach": Command("watch a job again; names come back", takes_run, _attach),
    "why": Command("why a job waits, when it is to start, what would start now", _why_arguments, _why),
    **LINEAGE,
    "cancel": Command("end a job", takes_run, _cancel),
    "resubmit": Command("a job once more, with other resources or elsewhere", _resubmit_arguments, _resubmit),
    "result": Command("wait for a job and bring its names", _result_arguments, _result),
    "targets": Command("where cells can run, and what is there now", _nothing, _targets),
    "config": Command("every setting and the file it came from", _nothing, _config),
    "doctor": Command("what works here, what doesn't, what to type", _nothing, _doctor),
    "help": Command("what to do about an error: its place on the page of troubles", _help_arguments, _help),
    "clean": Command("disk use, and what can go", _clean_arguments, _clean),
    "practice": Command(
        "a small real Slurm or Kubernetes of one's own: up, down, status, env",
        _practice_arguments,
        _practice,
    ),
}
