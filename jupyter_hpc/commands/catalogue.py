"""The commands that ``%hpc`` and ``jupyter hpc`` share. Each returns text; the shells only show it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from ..model.exceptions import OptionError
from ..model.resources import did_you_mean
from ..runtime.settings import BUILT_IN_TARGETS
from .definition import Command, takes_run
from .job_list import _jobs, _jobs_arguments
from .jobs import (
    _attach,
    _cancel,
    _logs,
    _logs_arguments,
    _resubmit,
    _resubmit_arguments,
    _result,
    _result_arguments,
    _show,
    _trust,
    _why,
    _why_arguments,
)
from .lineage import COMMANDS as LINEAGE
from .machine import _clean, _clean_arguments, _config, _doctor, _targets
from .notebook import _notebook, _notebook_arguments
from .plot import _plot, _plot_arguments
from .practice import _practice, _practice_arguments


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
        raise OptionError(
            f"There is no command {name[:60]!r}.",
            hint=f"{did_you_mean(name, COMMANDS)} Commands: {', '.join(COMMANDS)}.".lstrip(),
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
    cells = " · ".join(f"%%{name}" for name in BUILT_IN_TARGETS)
    rows = [("cells", f"{cells} · %%hpc --on TARGET      --help on each")]
    for title, names in {**_MAP, "more": rest}.items():
        if names:
            rows.append((title, f"{prog} " + " · ".join(name + _WITH_ID.get(name, "") for name in names)))
    rows.append(("help", f"{prog} --help · {prog} COMMAND --help · {prog} help PLACE"))
    return "\n".join(f"{title:6} {text}" for title, text in rows)


def overview(prog: str) -> str:
    """Return all commands, each with what it does."""
    width = max(map(len, COMMANDS))
    lines = [f"  {prog} {name.ljust(width)}  {command.help}" for name, command in COMMANDS.items()]
    cells = ", ".join(f"%%{name}" for name in BUILT_IN_TARGETS)
    return "\n".join([f"Cells: {cells}, %%hpc --on TARGET (--help on each). Then:", *lines])


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
    "jobs": Command("every job, from every kernel and backend; what goes on comes first", _jobs_arguments, _jobs),
    "show": Command("one job: state, cause, what it asked, sent and brought", takes_run, _show),
    "logs": Command("what the cell wrote", _logs_arguments, _logs, is_log=True),
    "attach": Command("watch a job again; names come back", takes_run, _attach),
    "why": Command("why a job waits, when it is to start, what would start now", _why_arguments, _why),
    "plot": Command("what runs told of themselves in numbers, over each other", _plot_arguments, _plot),
    **LINEAGE,
    "cancel": Command("end a job", takes_run, _cancel),
    "resubmit": Command("a job once more, with other resources or elsewhere", _resubmit_arguments, _resubmit),
    "result": Command("wait for a job and bring its names", _result_arguments, _result),
    "notebook": Command("saved notebooks show how their jobs ended", _notebook_arguments, _notebook),
    "trust": Command("sign a result of before results were signed, or of another home, as yours", takes_run, _trust),
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
