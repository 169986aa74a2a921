"""Tab completion of the magics' options, from declarations and caches only."""

from __future__ import annotations

import re
from typing import Any

from . import options

_MAGIC = re.compile(r"^%{1,2}(slurm|local|hpc)\s")


def matches(text: str) -> tuple[str, list[str]]:
    """Return (fragment, completions) for a line up to the cursor."""
    found = _MAGIC.match(text)
    if found is None:
        return "", []
    rest = text[found.end() :]
    if found[1] == "hpc" and text.startswith("%hpc"):
        from ..commands import COMMANDS

        if " " not in rest:
            return rest, [name for name in COMMANDS if name.startswith(rest)]
        return "", []
    return options.completions(rest, choices={"on": _targets()})


def _targets() -> list[str]:
    from ..config import targets

    return list(targets())


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
