"""Give IPython here the magics that the user registered in the kernel."""

from __future__ import annotations

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict


def register(shell: Any, cell: Dict[str, Any], namespace: Dict[str, Any]) -> None:
    """Register the magics that travelled, load the extensions of others, and let the future imports hold."""
    if shell is None:
        return
    shell.compile.flags |= cell.get("future_flags", 0)
    shell.label = cell["label"]
    for name in cell.get("extensions") or ():
        try:
            shell.extension_manager.load_extension(name)
        except Exception:  # then its magic is not found, which the cell says where it uses it
            continue
    for kind, name, key in cell.get("magics") or ():
        if kind.endswith(" alias"):
            shell.magics_manager.register_alias(name, key, kind.partition(" ")[0])
        elif kind == "class":
            shell.register_magics(namespace[key])
        else:
            shell.register_magic_function(namespace[key], kind, name)
