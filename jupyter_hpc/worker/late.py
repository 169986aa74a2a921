"""What stands on the node for things that only exist once in a process: modules that may be needed, IPython's shell."""

from __future__ import annotations

import importlib
import types

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, List, Optional, Tuple

_SHELLS = {"IPython.core.interactiveshell", "IPython.terminal.interactiveshell", "ipykernel.zmqshell"}
PLACES = {*_SHELLS, __name__}  # modules of the types that :func:`reduced` knows


class LateModule(types.ModuleType):
    """A module that is imported when something of it is used: what may be needed costs nothing, and may be missing."""

    def __getattr__(self, name: str) -> Any:
        if name in ("__path__", "__wrapped__") or name.startswith("_ipython"):
            raise AttributeError(name)
        try:
            module = importlib.import_module(self.__name__)
        except ImportError as error:  # whoever only looks whether it has the attribute goes on
            raise AttributeError(f"{type(error).__name__}: {error}") from error
        return getattr(module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(importlib.import_module(self.__name__), name, value)

    def __dir__(self) -> List[str]:
        return dir(importlib.import_module(self.__name__))

    def __repr__(self) -> str:
        return f"<module {self.__name__!r}, imported when it is used>"


def late_module(name: str) -> types.ModuleType:
    """Return a module that is imported here already, or else when something of it is used."""
    import sys

    return sys.modules.get(name) or LateModule(name)


def running_shell() -> Any:
    """Return IPython's shell here."""
    from .ipython import shell

    return shell()


def reduced(obj: Any) -> Optional[Tuple[Any, ...]]:
    """Return how a late module or a shell is pickled; None for anything else."""
    kind = type(obj)
    if kind is LateModule:
        return late_module, (obj.__name__,)
    if kind.__module__ in _SHELLS and kind.__name__.endswith("InteractiveShell"):
        return running_shell, ()
    return None
