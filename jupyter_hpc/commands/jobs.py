"""``%hpc`` commands about one job: show, logs, attach, why, cancel, resubmit, result."""

from __future__ import annotations

import argparse

from ..follow.glance import look, refresh
from ..jobs.job import Job
from ..model.exceptions import JobNotFound, OptionError
from ..model.resources import format_size
from ..model.states import JobState
from ..rundir.raised import traceback_of
from ..rundir.store import store
from ..views.style import plain
from ..worker.regular import open_regular
from .definition import takes_run


def _job(arguments: argparse.Namespace) -> Job:
    return Job(store().find(arguments.run))


def _show(arguments: argparse.Namespace) -> str:
    from ..views.parts_table import tasks_text
    from ..views.picture import describe
    from ..views.summary import asked_words, facts

    picture = look(store().find(arguments.run))
    record, status, verdict = picture.record, picture.status, picture.verdict
    lines = [describe(record, status), *(f"→ {x}" for x in (verdict.get("hint"),) if x)]
    lines += [*tasks_text(picture.parts), *facts(picture)]
    lines += [f"evidence: {plain(x)}" for x in verdict.get("evidence", [])]
    lines.append(f"asked for: {plain(asked_words(record['spec']), 4000)}")
    sent = ", ".join(f"{i['name']} ({format_size(i['nbytes'])})" for i in record["inputs"])
    lines += [
        f"sent: {plain(sent, 4000) or 'no names'}",
        f"directory: {picture.run.path}",
        "",
        record["code"]["text"].rstrip(),
    ]
    if traceback := traceback_of(record, picture.failed):
        lines += ["", traceback.rstrip()]
    if status.state.is_final and record.get("command"):
        lines += ["", "submitted with: " + " ".join(record["command"][:2]) + " …"]
    return "\n".join(lines)


def _logs(arguments: argparse.Namespace) -> str:
    job = _job(arguments)
    text = job.logs()
    if arguments.scheduler:
        try:
            with open_regular(job.run.scheduler_log) as file:
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""
    if not text and job.status.state is JobState.PENDING:
        return f"{job.id} has not started: {job.reason or 'pending'}"
    return text


def _logs_arguments(parser: argparse.ArgumentParser) -> None:
    takes_run(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the job ends")
    parser.add_argument("--scheduler", action="store_true", help="what the scheduler and the batch script said")


def _attach(arguments: argparse.Namespace) -> str:
    return _job(arguments).describe()


def _why(arguments: argparse.Namespace) -> str:
    from .why import why_text

    return why_text(_job(arguments) if arguments.run else _newest_pending())


def _newest_pending() -> Job:
    found, _ = store().records()
    if not found:
        raise JobNotFound("There are no jobs yet.")
    statuses = refresh([run for run, _ in found], {run.id: record for run, record in found})
    pending = (run for (run, _), status in zip(found, statuses) if status.state is JobState.PENDING)
    return Job(next(pending, found[0][0]))


def _why_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", help="as for show; unset: the newest job that waits")


def _cancel(arguments: argparse.Namespace) -> str:
    job = _job(arguments)
    if job.state.is_final:
        return f"{job.id} has ended already ({job.state.words})."
    job.cancel()
    return f"Asked {job.target} to cancel {job.native_id or job.id}."


def _resubmit(arguments: argparse.Namespace) -> str:
    new = resubmitted(arguments)
    instead = f", in place of {replaced}" if (replaced := new.record.get("replaces")) else ""
    return f"Submitted again as {new.id} ({new.target} job {new.native_id}){instead}."


def resubmitted(arguments: argparse.Namespace) -> Job:
    """Submit a job again as the arguments say."""
    from ..jobs.submit import replace_waiting, resubmit
    from ..model.given import asked_of
    from ..model.options import RESUBMIT_OPTIONS
    from ..model.resources import Resources
    from ..model.spec import JobSpec

    asked = {option.dest: getattr(arguments, option.dest) or None for option in RESUBMIT_OPTIONS}
    for option in RESUBMIT_OPTIONS:
        if getattr(arguments, option.dest) == "":  # it would be the same job again
            raise OptionError(f"{option.flags[-1]} needs a value.")
    resources, options = asked_of(Resources, asked), asked_of(JobSpec, asked)
    submit = replace_waiting if arguments.instead else resubmit
    return submit(_job(arguments), target=arguments.on, resources=resources, options=options)


def _resubmit_arguments(parser: argparse.ArgumentParser) -> None:
    from ..model.options import RESUBMIT_OPTIONS

    takes_run(parser)
    for option in RESUBMIT_OPTIONS:
        text = option.help.replace("%", "%%")
        if option.kind == "flag":
            parser.add_argument(*option.flags, dest=option.dest, action="store_true", help=text)
        else:
            parser.add_argument(*option.flags, dest=option.dest, metavar=option.metavar, help=text)
    parser.add_argument("--on", metavar="TARGET", help="another target")
    parser.add_argument(
        "--instead", action="store_true", help="in place of a job that waits: it leaves the queue once this is accepted"
    )


def _result(arguments: argparse.Namespace) -> str:
    job = _job(arguments)
    outcome = job.outcome(arguments.timeout)
    if outcome.error is not None:
        raise outcome.error
    names = [outcome.value] if outcome.is_call else [f"{k} = {str(v)[:200]}" for k, v in outcome.names.items()]
    return "\n".join([*map(str, names), *outcome.notes()])


def _trust(arguments: argparse.Namespace) -> str:
    from ..rundir import checked

    run = store().find(arguments.run)
    signed = checked.trust(run)
    if not signed:
        return f"{run.id} has nothing that could be signed."
    made = "what it was sent and what it made are" if "result" in signed else "what it was sent is"
    return f"Signed as yours: {made} loaded from now on. ({(run.whole or run).id})"


def _result_arguments(parser: argparse.ArgumentParser) -> None:
    takes_run(parser)
    parser.add_argument("--timeout", type=float, help="seconds to wait for a job that has not ended")
    parser.add_argument(
        "--force",
        metavar="NAMES",
        type=lambda names: tuple(names.split(",")),
        default=(),
        help="take the job's changes of these, though they were changed here meanwhile",
    )
