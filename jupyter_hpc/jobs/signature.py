"""What ``submit()`` takes, from the options' declarations: its signature, its docstring, and what it refuses."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ..model.declaration import Kind, Option
from ..model.exceptions import OptionError
from ..model.options import CALL_OPTIONS, keyword_meant

_Function = TypeVar("_Function", bound=Callable[..., Any])

_TYPES: dict[Kind, str] = {
    "value": "str | None",
    "number": "int | None",
    "flag": "bool",
    "append": "Sequence[str]",
    "pairs": "Mapping[str, str] | None",
}
_OF_RESOURCES = "str | int | None"
_OPTIONS = sorted(CALL_OPTIONS, key=lambda option: option.dest != "on")  # where comes before how


def takes_options(function: _Function) -> _Function:
    """Show the options as keywords in a function's signature, and in its docstring where that has ``{options}``."""
    shown = inspect.signature(function)
    *first, rest = shown.parameters.values()
    keywords = [
        inspect.Parameter(o.dest, inspect.Parameter.KEYWORD_ONLY, default=o.default, annotation=_type(o))
        for o in _OPTIONS
    ]
    vars(function)["__signature__"] = shown.replace(parameters=[*first, *keywords, rest])
    if function.__doc__:  # Python -OO has none
        lines = "\n".join(f"{o.dest} : {_type(o)}\n{textwrap.indent(_meaning(o), '    ')}" for o in _OPTIONS)
        function.__doc__ = inspect.cleandoc(function.__doc__).replace("{options}", lines)
    return function


def _type(option: Option) -> str:
    if option.dest == "dependency":
        return "str | Job | Sequence[Job] | None"
    return _OF_RESOURCES if option.resource and option.kind == "value" else _TYPES[option.kind]


def _meaning(option: Option) -> str:
    text = option.help.partition("; repeatable")[0]
    return f"{text[0].upper()}{text[1:]}."


def refuse_misspelt(function: Callable[..., Any], keywords: Iterable[str]) -> None:
    """Refuse keywords that look like a misspelt option and that a function would not take.

    Raises
    ------
    OptionError
        Naming the keyword, and the option that was meant.
    """
    for keyword in keywords:
        if (hint := keyword_meant(keyword)) and not _is_taken(function, keyword):
            name = getattr(function, "__name__", type(function).__name__)
            raise OptionError(f"{keyword} is not an option of submit(), and {name} takes none.", hint=hint)


def _is_taken(function: Callable[..., Any], keyword: str) -> bool:
    """Whether a function takes a keyword, by its name or among any others; one that doesn't say takes it."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin such as dict
        return True
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return any(p.kind is inspect.Parameter.VAR_KEYWORD or (p.name == keyword and p.kind in by_name) for p in parameters)
