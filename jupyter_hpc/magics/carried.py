"""Magics of the user's own, and of extensions, that a cell uses: how they get to the node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_NOT_ON_NODES = {"jupyter_hpc", "autoreload", "storemagic"}


@dataclass
class Carried:
    """What a cell's magics need on the node.

    Attributes
    ----------
    values : dict
        Functions and classes of magics, by the name under which they travel.
    magics : list of (str, str, str)
        Kind and name of each magic, and the name of its function; of a class of magics, the kind is ``"class"``;
        of a second name for a magic, ``"line alias"`` and the magic's name.
    extensions : list of str
        IPython extensions to load.
    """

    values: dict[str, Any] = field(default_factory=dict)
    magics: list[tuple[str, str, str]] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)


def carried(shell: Any, used: Iterable[tuple[str, str]]) -> Carried:
    """Find the magics that the node's IPython does not have of its own."""
    needed = Carried()
    for kind, name in sorted(used):
        function = shell.magics_manager.magics[kind].get(name)
        if type(function).__name__ == "MagicAlias":
            needed.magics.append((f"{kind} alias", name, function.magic_name))
            continue
        owner = getattr(function, "__self__", None)
        value = function if owner is None else type(owner)
        module = str(getattr(value, "__module__", None))
        key = f"<{'%' if kind == 'line' else '%%'}{name}>"
        if function is None or module.startswith("IPython."):
            continue
        if module == "__main__":
            needed.values[key] = value
            needed.magics.append((kind if owner is None else "class", name, key))
            continue
        root = module.partition(".")[0]
        loaded = [
            e for e in shell.extension_manager.loaded if e.partition(".")[0] == root and root not in _NOT_ON_NODES
        ]
        needed.extensions += [e for e in loaded if e not in needed.extensions]
    return needed
