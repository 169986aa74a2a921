"""The line of a cell magic, read by the options' declarations."""

from __future__ import annotations

import argparse
import keyword
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from ..model.cell_arguments import CellArguments
from ..model.declaration import Option, declared
from ..model.exceptions import OptionError
from ..model.given import whole
from ..model.options import CELL_OPTIONS, _find
from ..model.resources import Resources, did_you_mean, quote
from ..model.spec import JobSpec

_Choices = Mapping[str, Sequence[str]]

_KEY = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_MISSING = object()
_OWN = {option.dest for option in declared(CellArguments)}


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
    line, passthrough = tokens[:end], tuple(tokens[end + 1 :])
    if "-h" in line or "--help" in line:
        return CellArguments(JobSpec(passthrough=passthrough), help=True)
    resources: dict[str, object] = {}
    of_spec: dict[str, Any] = {"passthrough": passthrough}
    own: dict[str, Any] = {}
    written = _argparse(line, prog)
    for option in CELL_OPTIONS:
        if option.dest in written:
            value = _value(option, written[option.dest])
            (resources if option.resource else own if option.dest in _OWN else of_spec)[option.dest] = value
    pythons = [f"--{dest}" for dest in ("python", "conda", "venv") if dest in of_spec]
    if len(pythons) > 1:
        message = f"{' and '.join(pythons)} each choose the interpreter, and only one can."
        raise OptionError(message, hint="Keep one of them.")
    if "no_outputs" in own and "outputs" in own:
        raise OptionError("-O says to bring back no names, and -o names some.", hint="Keep one.")
    return CellArguments(JobSpec(Resources.parse(**resources), **of_spec), **own)


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
        action = {"value": "store", "number": "store", "flag": "store_true"}.get(option.kind, "append")
        settings: dict[str, Any] = {"dest": option.dest, "default": argparse.SUPPRESS}
        if option.kind != "flag":
            settings |= {"nargs": "?", "const": _MISSING}
        elif option.default:
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
    sbatch = {word: option.flags[-1] for option in CELL_OPTIONS for word in option.sbatch}
    guess = did_you_mean(sbatch.get(known, name), begins or flags)
    hint = guess or "An option of the scheduler itself goes after a lone --."
    return OptionError(f"{quote(name)} is not an option of {prog}.", hint=f"{hint} {help_hint}")


def _value(option: Option, written: Any) -> Any:
    """Check what was written for one option and give it its type."""
    if option.kind == "flag":
        return written
    flag = option.flags[-1]
    values = [written] if option.kind in ("value", "number") else written
    if any(value is _MISSING or not value.strip("\0") for value in values):
        hint = f"A value that starts with '-' is written {flag}=-value."
        raise OptionError(f"{flag} needs a value: {flag} {option.metavar}.", hint=hint)
    values = [value.replace("\0", "") for value in values]
    if option.kind == "pairs":
        return dict(_variable(value) for value in values)
    if option.kind == "number":
        return whole(flag, values[0], option.bounds)
    if option.kind == "names":
        return tuple(dict.fromkeys(name for value in values for name in _names(flag, value)))
    return values[0] if option.kind == "value" else tuple(values)


def _variable(written: str) -> tuple[str, str]:
    key, equals, value = written.partition("=")
    if not equals or not _KEY.fullmatch(key):
        message = f"--env {quote(written)} is not K=V with a K of letters, digits and '_'."
        raise OptionError(message, hint="Write it as --env NAME=value; no digit comes first.")
    return key, value


def _names(flag: str, written: str) -> Iterator[str]:
    for part in written.split(","):
        name = unicodedata.normalize("NFKC", part.strip())  # as Python itself reads names
        if not name.isidentifier() or keyword.iskeyword(name):
            message = f"{flag} takes comma-separated Python names, and {quote(part)} is not one."
            raise OptionError(message, hint=f"Write it as {flag} a,b without spaces.")
        yield name
