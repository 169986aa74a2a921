"""Tab completion of the magics' options, from declarations and caches only."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..model.declaration import Option
from ..model.exceptions import OptionError
from ..model.options import CELL_OPTIONS, _find
from ..runtime.settings import setting, target_names
from .magic_names import ANY_TARGET, opening
from .parse import _Choices
from .tokens import BLANK, split_line


def matches(text: str) -> tuple[str, list[str]]:
    """Return (fragment, completions) for a line up to the cursor."""
    magic = opening(text)
    if magic is None or not text[magic.end() :][:1].isspace():
        return "", []
    rest = text[magic.end() + 1 :]
    if magic[0] == f"%{ANY_TARGET}":
        return _line(rest)
    return completions(rest, choices={"on": target_names(), **_choices(magic["name"], rest)})


def _line(rest: str) -> tuple[str, list[str]]:
    """Complete a command's name, then its options and what they take."""
    from ..commands.catalogue import COMMANDS

    name, _, arguments = rest.partition(" ")
    if " " not in rest:
        return rest, [each for each in COMMANDS if each.startswith(rest)]
    fragment = re.split(r"[\s\"']", arguments)[-1]
    if name not in COMMANDS:
        return "", []
    parser = argparse.ArgumentParser(add_help=False)
    COMMANDS[name].arguments(parser)
    offers = [flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")]
    if not fragment.startswith("-"):
        before = arguments[: len(arguments) - len(fragment)].split()
        offers = _answers(name, before[-1] if before else "")
    return fragment, [each for each in offers if each.startswith(fragment)]


def _answers(command: str, before: str) -> list[str]:
    """Return what may stand here: a target, a word of a condition, a tag, the newest runs."""
    if before == "--on":
        return target_names()
    if command == "runs":
        from ..lineage.ask.where import WORDS

        return [word for word in WORDS if " " not in word]
    if command in ("lineage", "tag", "diff", "rerun", "export"):
        from ..lineage.ask.runs import offers

        return offers(tags=command in ("lineage", "tag", "export"))
    return []


def _choices(magic: str, rest: str) -> Mapping[str, Sequence[str]]:
    """Return what the target's backend offers, from its caches; completion never fails, and asks nobody."""
    from ..targets.targets import target

    named = re.findall(r"(?:^|\s)--on[=\s]+(\S+)\s", rest)
    try:
        name = named[-1] if named else str(setting("default_target")) if magic == ANY_TARGET else magic
        return target(name).make_backend().choices()
    except Exception:
        return {}


def _matcher(context: Any) -> Any:
    from IPython.core.completer import SimpleCompletion

    if context.cursor_line != 0:
        return {"completions": []}
    fragment, found = matches(context.text_until_cursor)
    return {
        "completions": [SimpleCompletion(text, type="option") for text in found],
        "suppress": bool(found),
        "matched_fragment": fragment,
    }


def register(ipython: Any) -> None:
    """Add the matcher; the API is provisional, so its absence only costs completion."""
    try:
        from IPython.core.completer import context_matcher

        unregister(ipython)
        ipython.Completer.custom_matchers.append(context_matcher(identifier="jupyter_hpc")(_matcher))
    except (ImportError, AttributeError):
        pass


def unregister(ipython: Any) -> None:
    matchers = getattr(getattr(ipython, "Completer", None), "custom_matchers", [])
    matchers[:] = [m for m in matchers if getattr(m, "matcher_identifier", "") != "jupyter_hpc"]


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
    offered = [o for o in CELL_OPTIONS if o not in used or o.kind in ("append", "names", "pairs")]
    flags = [flag for o in offered for flag in reversed(o.flags)]
    return fragment, [f for f in flags if fragment.startswith("-") and f.startswith(fragment)]


def _offer(option: Option, fragment: str, choices: _Choices) -> tuple[str, list[str]]:
    values = choices.get(option.dest) or ()
    *taken, fragment = fragment.split(",") if option.kind == "names" else [fragment]
    return fragment, [v for v in values if v.startswith(fragment) and v not in taken]
