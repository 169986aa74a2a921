"""Files that a cell reads and writes without saying so: what ``open`` is asked, and what is new in its folder.

An audit hook sees what this process opens; other processes, and libraries that write from C, leave their files in the
working folder, which is looked at once, when there were such. Everything is bounded: a record must not cost a cell.
"""

from __future__ import annotations

import os
import sys
import time

from .files import GENERATED, USED, inside, record, whole

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List

    from .files import Files

MOST = 1_000  # files of a role
MOST_LOOKED_AT = 2_000
LOOK_S = 0.2
WRITTEN_S, READ_S = 5.0, 1.0  # for digests
MOST_READ = 256 << 20
TICK_S = 0.02  # file systems tell the time in ticks
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHILDREN = frozenset(
    ("subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "pty.spawn")
)
# libraries that open files, or start processes, where no hook sees it
_UNSEEN = (
    *("h5py", "netCDF4", "tables", "torch", "tensorflow", "pyarrow", "polars", "cv2", "duckdb", "rasterio"),
    *("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"),
    *("joblib.externals.loky.backend.popen_loky_posix", "loky.backend.popen_loky_posix"),
)
_TARGET = {"os.rename": 1, "os.link": 1, "sqlite3.connect": 0}  # which argument is a file that is written
_SYSTEM = ("/proc/", "/dev/", "/sys/", "/etc/", "/usr/", "/lib", "/run/", "/var/lib/", "/opt/")
_CODE = (".py", ".pyc", ".pyo", ".so", ".pth", ".ipynb", ".dist-info", ".mplstyle", ".ttf", ".afm")
_PARTS = ("/site-packages/", "/dist-packages/", "/__pycache__/", "/.")
_OURSELVES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # in a pod, the archive of this package


class _Seen:
    """What the hook has seen; there is one, since a hook can't be taken away."""

    def __init__(self) -> None:
        self.active = False
        self.directory = ""
        self.has_children = False
        self.read: Dict[str, None] = {}
        self.written: Dict[str, None] = {}

    def hook(self, event: str, args: Any) -> None:
        if event == "open":
            if self.active:
                self._opened(args[0], args[2])
        elif event in _TARGET:
            if self.active:
                self._opened(args[_TARGET[event]], os.O_WRONLY)
        elif event in _CHILDREN:
            self.has_children = True

    def _opened(self, path: Any, flags: int) -> None:
        seen = self.written if flags & _WRITES else self.read
        if len(seen) >= MOST or isinstance(path, int):
            return
        try:
            name = os.path.abspath(os.fsdecode(path))
        except (TypeError, ValueError, OSError):
            return
        if not name.startswith(_SYSTEM):
            seen[name] = None


_seen = _Seen()
_is_hooked = False


def begin(directory: str) -> None:
    """Look on from now."""
    global _is_hooked
    _seen.directory = os.path.realpath(directory)
    _seen.has_children = False
    if not _is_hooked:
        sys.addaudithook(_seen.hook)
        _is_hooked = True
    _seen.active = True


def end() -> None:
    """Look on no more."""
    _seen.active = False


def is_written(path: str) -> bool:
    """Tell whether this process has written, or tried to write, a file."""
    return path in _seen.written


def tell(make_files: Callable[[], Files], *, hurry: bool) -> None:
    """Write a record of each file that was seen and that nobody declared; what was written first."""
    if not (_seen.written or _seen.read or _look()):
        return
    files = make_files()
    known = set(files.declared)
    deadline = time.monotonic() + (0 if hurry else WRITTEN_S)
    written = [p for each in list(_seen.written) for p in _files(each) if _counts(p)]
    for path in [*written, *(_changed(files.began) if _look() else ())]:
        if path not in known and len(known) < MOST:
            known.add(path)
            files.write(role=GENERATED, name=None, how="seen", **record(path, _state(path), deadline))
    deadline = time.monotonic() + (0 if hurry else READ_S)
    left = MOST_READ
    for path in list(_seen.read):
        if path in known or not _counts(path) or path.endswith(_CODE):
            continue
        known.add(path)
        state = _state(path)
        left -= state[0]
        late = deadline if left > 0 else 0.0
        files.write(role=USED, name=None, how="seen", **record(path, state, late))


def _look() -> bool:
    return _seen.has_children or any(name in sys.modules for name in _UNSEEN)


def _files(path: str) -> List[str]:
    """Return the files that a written path stands for: a folder that was moved there has several."""
    if not os.path.isdir(path):
        return [path]
    return inside(path)[:MOST] if os.path.basename(path)[:1] != "." else []


def _counts(path: str) -> bool:
    """Whether a path is a file of the user's that is still there."""
    if (
        path == _OURSELVES
        or any(part in path for part in _PARTS)
        or path.startswith((_seen.directory + os.sep, sys.prefix + os.sep))
    ):
        return False
    base = os.path.realpath(path)
    return os.path.isfile(path) and not base.startswith((_seen.directory + os.sep, *_SYSTEM))


def _state(path: str) -> Any:
    info = os.stat(path)
    return info.st_size, info.st_mtime


def _changed(began: float) -> Iterator[str]:
    """Yield the files below the working folder that are newer than the cell."""
    deadline, looked = time.monotonic() + LOOK_S, 0
    pending: List[str] = [whole(".")]
    while pending:
        try:
            entries = list(os.scandir(pending.pop(0)))
        except OSError:
            continue
        for entry in entries:
            looked += 1
            if looked > MOST_LOOKED_AT or time.monotonic() > deadline:
                return
            try:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in ("node_modules", "__pycache__") and entry.name[0] != ".":
                        pending.append(entry.path)
                elif entry.is_file() and not entry.name.endswith(_CODE) and _counts(entry.path):
                    info = entry.stat()
                    if max(info.st_mtime, info.st_ctime) >= began - TICK_S:
                        yield entry.path
            except OSError:  # it went meanwhile
                continue
