"""What was given for an option, as the spec has it: words of a line, values of a call or of a configuration."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .declaration import Option, declared
from .exceptions import OptionError
from .resources import quote


def given(option: Option, value: object) -> Any:
    """Return the value of a field for what a call or a configuration gives.

    ``submit(modules="gcc")`` means one module, a path is its text, and a number is written out. Resources are read
    together, by ``Resources.parse``, and come as they are.

    Raises
    ------
    OptionError
        If it is of the wrong kind.
    """
    if option.resource:
        return value
    if option.kind == "number":
        return whole(option.dest, _text(option, value, "a whole number"), option.bounds)
    if option.kind == "flag":
        if isinstance(value, bool):
            return value
        raise _wrong(option, "True or False", value)
    if option.kind == "pairs":
        if isinstance(value, Mapping):
            return {str(k): str(v) for k, v in value.items()}
        raise _wrong(option, "a dict of text", value)
    if option.kind == "append":
        if isinstance(value, (str, os.PathLike)):
            return (_text(option, value),)
        if isinstance(value, Sequence):
            return tuple(_text(option, each) for each in value)
        raise _wrong(option, "text or a list of it", value)
    return _text(option, value)


def asked_of(cls: Any, asked: Mapping[str, object]) -> dict[str, Any]:
    """Return what is given for a dataclass's options by their names; None leaves one as it is.

    Raises
    ------
    OptionError
        If a value is of the wrong kind.
    """
    names = {option.dest: option for option in declared(cls)}
    return {name: given(names[name], value) for name, value in asked.items() if name in names and value is not None}


def whole(said: str, written: str, bounds: tuple[int, int]) -> int:
    """Return a whole number between two bounds.

    Raises
    ------
    OptionError
        If it is none, with the option's name as it was `said`.
    """
    least, most = bounds
    if re.fullmatch("-?[0-9]{1,10}", written) and least <= int(written) <= most:
        return int(written)
    raise OptionError(f"{said} must be a whole number from {least} to {most}, not {quote(written)}.")


def _text(option: Option, value: object, wanted: str = "text") -> str:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise _wrong(option, wanted, value)


def _wrong(option: Option, wanted: str, value: object) -> OptionError:
    return OptionError(
        f"{option.dest} must be {wanted}, not {type(value).__name__}.",
        hint=f"It is an option: {option.help}. A parameter of a function's own that is called so is bound with "
        "functools.partial.",
    )
