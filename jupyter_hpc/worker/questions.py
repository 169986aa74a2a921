"""``input()`` and ``getpass()`` in a job: nobody is there to answer, and that is said at once."""

from __future__ import annotations

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, NoReturn


def refuse(after_import: Callable[[str, Callable[[Any], None]], Any]) -> None:
    """Let both say why they can't ask; getpass is not imported for it."""
    import builtins
    import sys

    builtins.input = _refused("input")

    def replace(module: Any) -> None:
        for name in ("getpass", "unix_getpass", "fallback_getpass"):
            setattr(module, name, _refused("getpass"))

    if "getpass" in sys.modules:
        replace(sys.modules["getpass"])
    else:
        sys.meta_path.insert(0, after_import("getpass", replace))


def _refused(name: str) -> Callable[..., NoReturn]:
    def ask(*args: object, **kwargs: object) -> NoReturn:
        """Refuse: a job has nobody to ask."""
        raise EOFError(
            f"{name}() has nobody to ask in a job. Ask in a cell of the notebook, and use the answer's name here."
        )

    ask.__name__ = ask.__qualname__ = name
    return ask
