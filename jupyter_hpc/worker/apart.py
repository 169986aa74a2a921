"""Steps that only add to a result: one that fails leaves the rest as it is, and is told once."""

from __future__ import annotations

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, Set

_told: Set[str] = set()


def apart(what: str, step: Callable[..., Any], *args: Any, default: Any = None, **options: Any) -> Any:
    """Call a step and return what it returns; the default where it raises, which goes to the log.

    Parameters
    ----------
    what : str
        What is missing then, as the subject of a sentence: ``"the origin of x"``.
    """
    try:
        return step(*args, **options)
    except Exception as error:  # our own mistakes, and whatever foreign objects raise
        _tell(what, error)
        return default


def _tell(what: str, error: Exception) -> None:
    import logging  # only now: a start without it is faster

    try:
        words = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    except Exception:
        words = type(error).__name__
    text = f"{what} is missing: {words}"
    if text not in _told and len(_told) < 1000:
        _told.add(text)
        logging.getLogger("jupyter_hpc").warning("%s", text)
