"""Levels and handlers of loggers.

A handler travels if it writes to stdout or stderr, appends to a file, or does nothing; the node's streams take the
place of the kernel's. Others belong to what they are connected to, and stay.
"""

from __future__ import annotations

import logging
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    State = Dict[str, Any]

_KERNELS = (
    *("IPKernelApp", "TerminalIPythonApp", "IPython", "ipykernel", "tornado", "traitlets", "asyncio"),
    *("jupyter_hpc", "parso", "comm"),
)
_STYLES = {"%": logging.PercentStyle, "{": logging.StrFormatStyle, "$": logging.StringTemplateStyle}
_ROOT = "root"
_LOGGER = "logger:"


def get_logging() -> State:
    """Return what isn't as logging begins: a key for each logger, and a few for the module."""
    found: State = {}
    manager = logging.root.manager
    if manager.disable:
        found["disable"] = manager.disable
    names = {str(n): v for n, v in logging._nameToLevel.items() if logging._levelToName.get(v) == n}
    own = {n: v for n, v in names.items() if n not in _FIRST_LEVELS}
    if own:
        found["levels"] = own
    root = _described(logging.root)
    if root != {"level": logging.WARNING}:
        found[_ROOT] = root
    for name, logger in list(manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] not in _KERNELS:
            described = _described(logger)
            if described:
                found[_LOGGER + name] = described
    return found


_FIRST_LEVELS = frozenset("CRITICAL FATAL ERROR WARN WARNING INFO DEBUG NOTSET".split())


def _described(logger: logging.Logger) -> State:
    found: State = {}
    if logger.level:
        found["level"] = logger.level
    if not logger.propagate:
        found["propagate"] = False
    if logger.disabled:
        found["disabled"] = True
    if logger.filters:
        found["filters"] = list(logger.filters)
    handlers = [h for h in map(_handler, logger.handlers) if h is not None]
    if handlers:
        found["handlers"] = handlers
    return found


def _handler(handler: logging.Handler) -> Optional[State]:
    """Return a handler as plain data, None if it stays here."""
    kind = type(handler)
    if type(handler.formatter).__module__.partition(".")[0] in _KERNELS:
        return None  # of the program around the notebook
    found: State = {"level": handler.level, "formatter": _formatter(handler.formatter)}
    if handler.filters:
        found["filters"] = list(handler.filters)
    if kind is logging.NullHandler:
        return {**found, "to": "nothing"}
    if kind is logging.FileHandler:
        encoding: Any = getattr(handler, "encoding", None)
        return {**found, "to": "file", "file": handler.baseFilename, "encoding": encoding}  # type: ignore[attr-defined]
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return None
    stream = _stream(handler.stream)
    if stream is None or (kind is not logging.StreamHandler and kind.__module__ != "__main__"):
        return None
    return {**found, "to": stream, "terminator": handler.terminator}


def _stream(stream: Any) -> Optional[str]:
    for name in ("stdout", "stderr"):
        if stream in (getattr(sys, name), getattr(sys, f"__{name}__")):
            return name
    name = str(getattr(stream, "name", "")).strip("<>")  # a stream that capturing has replaced since
    return name if name in ("stdout", "stderr") else None


def _formatter(formatter: Optional[logging.Formatter]) -> Any:
    if type(formatter) is not logging.Formatter or "converter" in vars(formatter):
        return formatter
    style = next((c for c, kind in _STYLES.items() if type(formatter._style) is kind), "%")
    return [formatter._fmt, formatter.datefmt, style]


def set_logging(values: State, gone: List[str]) -> None:
    if "disable" in values or "disable" in gone:
        logging.disable(values.get("disable", logging.NOTSET))
    for name, level in (values.get("levels") or {}).items():
        logging.addLevelName(level, name)
    for key in [*values, *gone]:
        if key == _ROOT:
            _make(logging.root, values.get(key) or {"level": logging.WARNING})
        elif key.startswith(_LOGGER):
            _make(logging.getLogger(key[len(_LOGGER) :]), values.get(key) or {})


def _make(logger: logging.Logger, wanted: State) -> None:
    logger.setLevel(wanted.get("level", logging.NOTSET))
    logger.propagate = wanted.get("propagate", True)
    logger.disabled = wanted.get("disabled", False)
    if wanted.get("filters", []) != logger.filters:
        logger.filters[:] = wanted.get("filters", [])
    movable = [h for h in logger.handlers if _handler(h) is not None]
    left = list(movable)
    for described in wanted.get("handlers", ()):
        same = next((h for h in left if _alike(_handler(h), described)), None)
        if same is not None:  # the user's own object stays
            left.remove(same)
            continue
        handler = _made(described)
        if handler is not None:
            logger.addHandler(handler)
    for handler in left:
        logger.removeHandler(handler)


def _alike(one: Any, other: Any) -> bool:
    return {**one, "formatter": _listed(one["formatter"])} == {
        **other,
        "formatter": _listed(other["formatter"]),
    }


def _listed(formatter: Any) -> Any:
    return list(formatter) if isinstance(formatter, (list, tuple)) else formatter


def _made(described: State) -> Optional[logging.Handler]:
    to = described["to"]
    handler: logging.Handler
    if to == "nothing":
        handler = logging.NullHandler()
    elif to == "file":
        if not os.path.isdir(os.path.dirname(described["file"])):
            return None  # this machine has not that disk
        handler = logging.FileHandler(described["file"], "a", described["encoding"], delay=True)
    else:
        handler = logging.StreamHandler(getattr(sys, to))
        handler.terminator = described["terminator"]
    handler.setLevel(described["level"])
    formatter = described["formatter"]
    if isinstance(formatter, (list, tuple)):
        fmt, datefmt, style = formatter
        formatter = logging.Formatter(fmt, datefmt, style, validate=False)
    handler.setFormatter(formatter)
    handler.filters[:] = described.get("filters", [])
    return handler
