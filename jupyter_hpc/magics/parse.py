"""The options of the cell magics, declared once: parser, help, completion and docs come from it."""

from __future__ import annotations

import argparse
import keyword
import re
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NoReturn

from jupyter_hpc.model.exceptions import OptionError
from jupyter_hpc.model.resources import Resources, did_you_mean, quote

from .tokens import BLANK, split_line

Kind = Literal["value", "flag", "append", "names"]
_Choices = Mapping[str, Sequence[str]]
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
    choices: tuple[str, ...] | None = None
    resource: bool = False


def _group(group: Group, *rows: tuple[str, str, str | None, Kind, str]) -> tuple[Option, ...]:
    return tuple(
        Option(tuple(flags.split()), dest, metavar, kind, text, group, None, group == "resources")
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

_TITLES: dict[str, str] = {
    "resources": "Resources (unset: the target's defaults)",
    "scheduler": "Scheduler",
    "environment": "Environment",
    "names": "Names that travel (comma-separated; repeatable)",
    "behaviour": "Behaviour",
}
_ABOUT = (
    "Run this cell as a job. The names and functions that it reads travel with it; what it prints and displays "
    "appears here while it runs; the names that it assigns, its last value and its exception come back, as if it "
    "had run in the kernel. Stop detaches, Stop twice cancels."
)
_EXAMPLES = (
    ("--gpus 1 --mem 16G --time 30m", "one gpu, 16 GiB, half an hour"),
    ("--dry-run", "show what would travel; submit nothing"),
    ("--time 8h --detach --name long", "go on; `%hpc result long` brings its names"),
    ("-o model --env LR={lr}", "bring model only; {lr} is a value from here"),
    ("--array 0-9%4", "ten tasks, four at a time; names as dicts"),
    ("--conda torch --mem 8G", "in another environment"),
)
_AFTERWARDS = (
    "Afterwards: `%hpc jobs` lists jobs, `%hpc why` says why one waits, `%hpc show ID` why one ended, `%hpc "
    "doctor` what works here, `%hpc help` what to do about an error."
)
_CLOSING = (
    "{expression} and $name are replaced by their values, and a value is never split again. A "
    "value that starts with '-' is --option=-value. What follows a lone -- goes to sbatch."
)
_SBATCH_PAIRS = (  # what people who know sbatch type
    "-c:cpus --cpus-per-task:cpus -G:gpus --gres:gpus -n:tasks --ntasks:tasks -N:nodes -t:time "
    "--ntasks-per-node:tasks-per-node -q:qos -J:name --job-name:name -D:workdir --chdir:workdir "
    "--export:env"
)
_SBATCH = dict(pair.split(":") for pair in _SBATCH_PAIRS.split())
_KEY = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_MISSING = object()


@dataclass(frozen=True)
class CellArguments:
    """The line of a cell magic, read."""

    resources: Resources = field(default_factory=Resources)
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    array: str | None = None
    dependency: str | None = None
    requeue: bool = False
    signal: str | None = None
    name: str | None = None
    workdir: str | None = None
    python: str | None = None
    conda: str | None = None
    venv: str | None = None
    requirements: str | None = None
    modules: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    on: str | None = None
    detach: bool = False
    dry_run: bool = False
    quiet: bool = False
    reuse: bool = False
    help: bool = False
    auto: bool = True
    no_outputs: bool = False
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    passthrough: tuple[str, ...] = ()
    image: str | None = None
    queue: str | None = None
    retries: int | None = None
    patch: str | None = None


def parse(tokens: Sequence[str], *, prog: str) -> CellArguments:
    """Read the tokens of a cell magic; `prog` is its name, such as ``"%%slurm"``, for messages.

    Raises
    ------
    OptionError
        In one sentence, whatever is wrong.
    """
    if bad := next((token for token in tokens if "\0" in token), None):
        raise OptionError(f"{quote(bad)} contains a NUL character, which no option can.")
    end = list(tokens).index("--") if "--" in tokens else len(tokens)
    own, passthrough = tokens[:end], tuple(tokens[end + 1 :])
    if "-h" in own or "--help" in own:
        return CellArguments(help=True, passthrough=passthrough)
    found: dict[str, Any] = {"passthrough": passthrough}
    resources: dict[str, object] = {}
    written = _argparse(own, prog)
    for option in CELL_OPTIONS:
        if option.dest in written:
            value = _value(option, written[option.dest])
            (resources if option.resource else found)[option.dest] = value
    pythons = [f"--{dest}" for dest in ("python", "conda", "venv") if dest in found]
    if len(pythons) > 1:
        message = f"{' and '.join(pythons)} each choose the interpreter, and only one can."
        raise OptionError(message, hint="Keep one of them.")
    if "no_outputs" in found and "outputs" in found:
        raise OptionError("-O says to bring back no names, and -o names some.", hint="Keep one.")
    return CellArguments(resources=Resources.parse(**resources), **found)


def help_text(prog: str) -> str:
    """The text of ``--help``: what happens, examples, then the options by group."""
    lines = [f"{prog} [options] [-- options of sbatch]", "", *textwrap.wrap(_ABOUT, 88), "", "Examples"]
    examples = [(f"{prog} {options}".rstrip(), why) for options, why in _EXAMPLES]
    wide = max(len(written) for written, _ in examples) + 2
    lines += [f"  {written.ljust(wide)}{why}" for written, why in examples]
    width = max(len(_usage(option)) for option in CELL_OPTIONS) + 2
    for group, title in _TITLES.items():
        lines += ["", title]
        for option in (o for o in CELL_OPTIONS if o.group == group):
            text = textwrap.wrap(option.help, 88 - width)
            lines.append(_usage(option).ljust(width) + text[0])
            lines += [" " * width + line for line in text[1:]]
    for paragraph in (_CLOSING, _AFTERWARDS):
        lines += ["", *textwrap.wrap(paragraph, 88)]
    return "\n".join(lines)


def completions(tokens_before: str, *, choices: _Choices) -> tuple[str, list[str]]:
    """The fragment that a completion would replace, and what could replace it.

    Parameters
    ----------
    tokens_before : str
        From after the magic's name to the cursor.
    choices : mapping of str to sequence of str
        Values to offer, by option ``dest``.
    """
    fragment = re.split(f"[{BLANK}]", tokens_before)[-1]
    before = tokens_before[: len(tokens_before) - len(fragment)]
    try:
        *tokens, probe = [*split_line(f"{before}x")] or [""]
    except OptionError:  # inside quotes or braces
        return fragment, []
    if probe != "x" or "--" in tokens:  # in a comment, or the scheduler's own options
        return fragment, []
    last = tokens[-1] if tokens else ""
    flag, value = fragment.split("=", 1) if "=" in fragment else (last, fragment)
    if (option := _find(flag)) and option.kind != "flag" and flag in option.flags:
        return _offer(option, value, choices)
    used = {option for token in tokens if (option := _find(token))}
    offered = [o for o in CELL_OPTIONS if o not in used or o.kind in ("append", "names")]
    flags = [flag for o in offered for flag in reversed(o.flags)]
    return fragment, [f for f in flags if fragment.startswith("-") and f.startswith(fragment)]


def markdown_table() -> str:
    """All options as a Markdown table, for the docs."""
    lines = ["| Option | Group | Meaning |", "|---|---|---|"]
    for option in CELL_OPTIONS:
        usage = _usage(option).strip().replace("|", "\\|")
        lines.append(f"| `{usage}` | {option.group} | {option.help} |")
    return "\n".join(lines) + "\n"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message.capitalize()}.", hint=f"Try {self.prog} --help.")


def _argparse(tokens: Sequence[str], prog: str) -> dict[str, Any]:
    """The options that were given, by dest; a value that is missing is ``_MISSING``."""
    for token in tokens:  # -partition=x would be -p artition=x
        if token[:2] != "--" and _find("-" + token.partition("=")[0]) and token[:1] == "-":
            raise _unexpected(token, prog)
    parser = _parser(prog)
    # argparse drops the value of --name=-- unless something marks it; no token has a NUL
    marked = [t.replace("=", "=\0", 1) if t.startswith("--") else t for t in tokens]
    try:
        found, extras = parser.parse_known_args(marked)
    except argparse.ArgumentError as error:
        raise OptionError(f"{error.argument_name} takes no value.") from None
    extras.sort(key=lambda token: not token.startswith("-"))
    if extras:
        raise _unexpected(extras[0].replace("\0", ""), prog)
    return vars(found)


@lru_cache(maxsize=8)
def _parser(prog: str) -> _Parser:
    parser = _Parser(prog=prog, add_help=False, allow_abbrev=False, exit_on_error=False)
    for option in CELL_OPTIONS:
        action = {"value": "store", "flag": "store_true"}.get(option.kind, "append")
        settings: dict[str, Any] = {"dest": option.dest, "default": argparse.SUPPRESS}
        if option.kind != "flag":
            settings |= {"nargs": "?", "const": _MISSING}
        elif option.dest == "auto":
            action = "store_false"
        parser.add_argument(*option.flags, action=action, **settings)
    return parser


def _unexpected(token: str, prog: str) -> OptionError:
    """The error for an unknown option or a word that belongs to none."""
    help_hint = f"Try {prog} --help."
    if not token.startswith("-") or len(token) == 1:
        return OptionError(
            f"{quote(token)} is not an option of {prog} and no option takes it as its value.",
            hint=f"Put a value with spaces in quotes, and code on the lines below. {help_hint}",
        )
    name = token.partition("=")[0]
    flags = [flag for option in CELL_OPTIONS for flag in option.flags if flag[:2] == "--"]
    known = name if name[:2] == "--" else f"-{name}" if f"-{name}" in flags else name[:2]
    begins = [flag for flag in flags if flag.startswith(name)]  # an abbreviation
    guess = did_you_mean(f"--{_SBATCH[known]}" if known in _SBATCH else name, begins or flags)
    hint = guess or "An option of the scheduler itself goes after a lone --."
    return OptionError(f"{quote(name)} is not an option of {prog}.", hint=f"{hint} {help_hint}")


def _value(option: Option, written: Any) -> Any:
    """Check what was written for one option and give it its type."""
    if option.kind == "flag":
        return written
    flag = option.flags[-1]
    values = [written] if option.kind == "value" else written
    if any(value is _MISSING or not value.strip("\0") for value in values):
        hint = f"A value that starts with '-' is written {flag}=-value."
        raise OptionError(f"{flag} needs a value: {flag} {option.metavar}.", hint=hint)
    values = [value.replace("\0", "") for value in values]
    for value in values:
        if option.choices and value not in option.choices:
            raise OptionError(
                f"{flag} can't be {quote(value)}; allowed are {', '.join(option.choices)}.",
                hint=did_you_mean(value, option.choices),
            )
    if option.dest == "env":
        return dict(_variable(value) for value in values)
    if option.dest == "retries":
        return _count(flag, values[0])
    if option.kind == "names":
        return tuple(dict.fromkeys(name for value in values for name in _names(flag, value)))
    return values[0] if option.kind == "value" else tuple(values)


def _variable(written: str) -> tuple[str, str]:
    key, equals, value = written.partition("=")
    if not equals or not _KEY.fullmatch(key):
        message = f"--env {quote(written)} is not K=V with a K of letters, digits and '_'."
        raise OptionError(message, hint="Write it as --env NAME=value; no digit comes first.")
    return key, value


def _count(flag: str, written: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", written):
        raise OptionError(f"{flag} must be a whole number from 0 to 999, not {quote(written)}.")
    return int(written)


def _names(flag: str, written: str) -> Iterator[str]:
    for part in written.split(","):
        name = unicodedata.normalize("NFKC", part.strip())  # as Python itself reads names
        if not name.isidentifier() or keyword.iskeyword(name):
            message = f"{flag} takes comma-separated Python names, and {quote(part)} is not one."
            raise OptionError(message, hint=f"Write it as {flag} a,b without spaces.")
        yield name


def _find(token: str) -> Option | None:
    """The option that a token begins: ``--time``, ``--time=3``, ``-p`` or ``-pgpu``."""
    name = token.partition("=")[0]
    names = (name,) if name[:2] == "--" else (name, name[:2])
    return next((o for n in names for o in CELL_OPTIONS if n in o.flags), None)


def _offer(option: Option, fragment: str, choices: _Choices) -> tuple[str, list[str]]:
    values = choices.get(option.dest) or option.choices or ()
    *taken, fragment = fragment.split(",") if option.kind == "names" else [fragment]
    return fragment, [v for v in values if v.startswith(fragment) and v not in taken]


def _usage(option: Option) -> str:
    indent = "  " if len(option.flags) > 1 else "      "
    return f"{indent}{', '.join(option.flags)} {option.metavar or ''}".rstrip()
