"""The options of the cell magics, declared once: parser, help, completion and docs come from it."""

from __future__ import annotations

import argparse
import keyword
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

from ..model.exceptions import OptionError
from ..model.options import CELL_OPTIONS, Option, _find
from ..model.resources import Resources, did_you_mean, quote

_Choices = Mapping[str, Sequence[str]]


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
