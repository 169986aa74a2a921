"""What an error leaves to find out where it happened: type, errno, full disk, memory. Looked up only then."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Optional

LITTLE_SPACE = 1 << 20
_oom_kills_before: Optional[int] = None


def remember_oom_kills() -> None:
    """At the start: later ones happened while the cell ran."""
    global _oom_kills_before
    _oom_kills_before = _oom_kills()


def _oom_kills() -> Optional[int]:
    """Processes that this node's kernel has killed for memory, in whatever cgroup."""
    try:
        with open("/proc/vmstat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    at = text.find(b"\noom_kill ")
    return int(text[at + 10 :].split(b"\n", 1)[0]) if at >= 0 else None


def text_of(error: BaseException) -> str:
    """Return an exception's text; its own class says what that is, and may raise anything."""
    try:
        return str(error)
    except Exception as broken:
        return f"<str() of it raised {type(broken).__name__}>"


def describe(error: BaseException, directory: str) -> Dict[str, Any]:
    """Return what the table of causes asks of an exception beyond type and message."""
    record: Dict[str, Any] = {"bases": [_name(base) for base in type(error).__mro__[1:-2]]}
    if isinstance(error, ModuleNotFoundError) and error.name:
        record["module"] = error.name
    number = getattr(error, "errno", None)
    if isinstance(error, OSError) and number is not None:
        record["errno"] = number
        if is_space(error):
            record["disk"] = full_disk(error, directory)
    if isinstance(error, MemoryError):
        record.update(_address_limit())
    now = _oom_kills()
    if now is not None and _oom_kills_before is not None and now > _oom_kills_before:
        record["oom_kills"] = now - _oom_kills_before
    return record


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _address_limit() -> Dict[str, Any]:
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return {} if limit == resource.RLIM_INFINITY else {"address_limit": limit}


# -- disks ---------------------------------------------------------------------------------------


def is_space(error: BaseException) -> bool:
    """Whether the disk is full or a quota is used up."""
    import errno

    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def full_disk(error: BaseException, directory: str) -> Dict[str, Any]:
    """Return path, mount and free bytes of what could not be written.

    ``write`` names no file: then it is a file that the failed code holds, else a usual place without space.
    """
    named = getattr(error, "filename", None)
    if isinstance(named, (str, bytes)):
        return _disk(os.fsdecode(named))
    import tempfile

    held = list(dict.fromkeys(_files_held(error)))
    try:
        usual = [os.getcwd(), tempfile.gettempdir(), directory, os.path.expanduser("~")]
    except OSError:  # the working directory is gone, or no folder for temporary files has room
        usual = [directory]
    looked = [_disk(path) for path in (*held, *usual)]
    full = [disk for disk in looked if disk.get("free", LITTLE_SPACE) < LITTLE_SPACE]
    if full:
        return full[0]
    return looked[0] if held else {}


def _files_held(error: BaseException) -> Iterator[str]:
    """Files open for writing, or open a moment ago, in the frames that the error went through; innermost first."""
    import io

    frames = []
    step = error.__traceback__
    while step is not None:
        frames.append(step.tb_frame)
        step = step.tb_next
    for frame in reversed(frames):
        for value in list(frame.f_locals.values()):
            if not issubclass(type(value), io.IOBase):  # no attribute of a foreign object is touched
                continue
            name, mode = getattr(value, "name", None), getattr(value, "mode", "")
            if isinstance(name, str) and isinstance(mode, str) and mode.strip("rbt") and os.path.exists(name):
                yield os.path.abspath(name)


def _disk(path: str) -> Dict[str, Any]:
    """Return where a path lies and what is free there for this user."""
    path = os.path.abspath(path)
    there = path
    while there != "/" and not os.path.lexists(there):
        there = os.path.dirname(there)
    try:
        found = os.statvfs(there)
        mount = there
        while not os.path.ismount(mount):
            mount = os.path.dirname(mount)
    except OSError:
        return {"path": path}
    free = found.f_bavail * found.f_frsize
    return {"path": path, "mount": mount, "free": free if found.f_favail or not found.f_files else 0}
