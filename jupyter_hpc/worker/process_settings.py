"""Settings of the interpreter and the standard library."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List

    State = Dict[str, Any]

# what a process has because of where it runs: the node's is right there, the kernel's here
_PLACES = (
    *(
        "SLURM",
        "SBATCH_",
        "SRUN_",
        "SALLOC_",
        "SQUEUE_",
        "SINFO_",
        "PMI",
        "PMIX",
        "OMPI_",
        "MPI_",
        "KUBERNETES_",
    ),
    *(
        "JUPYTER_HPC_",
        "JPY_",
        "JUPYTER_",
        "LD_",
        "DYLD_",
        "CONDA",
        "_CE_",
        "MODULE",
        "LMOD_",
        "LOADEDMODULES",
    ),
    *(
        "XDG_",
        "SSH_",
        "DBUS_",
        "CUDA_VISIBLE_",
        "GPU_DEVICE_ORDINAL",
        "ROCR_VISIBLE_",
        "HIP_VISIBLE_",
        "NVIDIA_",
    ),
    *("VSCODE_", "COLAB_", "PYDEVD_", "IPY_", "BASH_FUNC_"),
)
_OWN = frozenset(
    "PATH PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV MANPATH INFOPATH CPATH LIBRARY_PATH PKG_CONFIG_PATH "
    "MPLBACKEND TERM CLICOLOR CLICOLOR_FORCE FORCE_COLOR PAGER GIT_PAGER PWD OLDPWD SHLVL _ HOME USER LOGNAME SHELL "
    "HOSTNAME HOST TMPDIR TMP TEMP DISPLAY COLUMNS LINES MAIL TZDIR PS1 EDITOR".split()
)


def is_of_place(name: str) -> bool:
    """Tell whether a variable belongs to the machine, the scheduler or the kernel, not to what a cell computes."""
    return name in _OWN or name.startswith(_PLACES)


def get_environment() -> State:
    return {name: value for name, value in os.environ.items() if not is_of_place(name)}


def set_environment(values: State, gone: List[str]) -> None:
    os.environ.update(values)
    for name in gone:
        os.environ.pop(name, None)
    if "TZ" in values or "TZ" in gone:
        import time

        time.tzset()


def get_path() -> State:
    """Return the folders that are not the interpreter's own, each with its side of those."""
    found: State = {}
    side, entries = "front", _entries()
    for entry in entries:
        if entry in ("", os.curdir):
            continue
        whole = os.path.abspath(entry)
        if _is_interpreters(whole):
            side = "back"
        elif os.path.isdir(whole):
            found.setdefault(whole, side)
    return found


def _entries() -> List[str]:
    """``sys.path``; some put other objects there, which the import system ignores as well."""
    entries: List[Any] = sys.path
    return [entry for entry in entries if isinstance(entry, str)]


def _is_interpreters(folder: str) -> bool:
    if os.path.basename(folder) in ("site-packages", "dist-packages"):
        return True
    return folder.startswith(_library_folder() + os.sep) or folder == _library_folder()


def _library_folder() -> str:
    return os.path.dirname(os.__file__)


def set_path(values: State, gone: List[str]) -> None:
    """Folders that this machine has are added: after the cell's own modules, or at the end."""
    present = {os.path.abspath(p) for p in _entries() if p}
    new = [f for f in values if f not in present and os.path.isdir(f)]
    first = _first_place()
    sys.path[first:first] = [f for f in new if values[f] == "front"]
    sys.path += [f for f in new if values[f] != "front"]
    lost = set(gone)
    sys.path[:] = [p for p in _entries() if not p or os.path.abspath(p) not in lost]


def _first_place() -> int:
    """Where a folder that the user put first belongs: before the interpreter's, behind what is there already."""
    for place, entry in enumerate(_entries()):
        if entry and _is_interpreters(os.path.abspath(entry)):
            return max(place - 1, 0) if entry.endswith(".zip") else place
    return 0


def get_interpreter() -> State:
    found: State = {"recursion": sys.getrecursionlimit(), "switch": sys.getswitchinterval()}
    digits = getattr(sys, "get_int_max_str_digits", None)
    if digits is not None:
        found["digits"] = digits()
    if hasattr(sys, "tracebacklimit"):
        found["traceback"] = sys.tracebacklimit
    return found


def set_interpreter(values: State, gone: List[str]) -> None:
    if "recursion" in values:
        sys.setrecursionlimit(values["recursion"])
    if "switch" in values:
        sys.setswitchinterval(values["switch"])
    if "digits" in values and hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(values["digits"])
    if "traceback" in values:
        sys.tracebacklimit = values["traceback"]
    elif "traceback" in gone and hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit


# -- warnings ------------------------------------------------------------------------------------


def get_warnings() -> State:
    """Return the filters as plain data; those that the kernel and numpy made for themselves stay."""
    import warnings

    found: State = {"filters": [_described(each) for each in warnings.filters if not _is_kernels(each)]}
    logging: Any = sys.modules.get("logging")
    if getattr(logging, "_warnings_showwarning", None) is not None:
        found["logged"] = True
    return found


def _is_kernels(each: Any) -> bool:
    owner = each[2].__module__.partition(".")[0]
    said = getattr(each[1], "pattern", each[1]) or ""
    if owner in ("IPython", "ipykernel", "jupyter_hpc", "traitlets") or "Trio's" in said:
        return True
    return said.startswith("numpy.") and said.endswith("size changed")  # numpy makes them wherever it is imported


def _described(each: Any) -> List[Any]:
    action, message, category, module, line = each
    return [action, _pattern(message), [category.__module__, category.__qualname__], _pattern(module), line]


def _pattern(pattern: Any) -> Any:
    return pattern if pattern is None or isinstance(pattern, str) else [pattern.pattern, pattern.flags]


def set_warnings(values: State, gone: List[str]) -> None:
    if "logged" in values or "logged" in gone:
        import logging

        logging.captureWarnings("logged" in values)
    if "filters" in values:
        _set_filters(values["filters"])


def _set_filters(filters: List[Any]) -> None:
    """New filters come first, as when they are made; the kernel's own stay where they are among the old ones."""
    import warnings

    wanted = []
    for described in filters:
        found = _filter(described)
        if found is not None:
            wanted.append(found)
        else:
            _later(described)
    here: List[Any] = list(warnings.filters)
    same, new = len(here), len(wanted)
    while same and (_is_kernels(here[same - 1]) or (new and here[same - 1] == wanted[new - 1])):
        same -= 1
        new -= not _is_kernels(here[same])
    own = [each for each in here[:same] if _is_kernels(each)]
    warnings.filters[:] = [*wanted[:new], *own, *here[same:]]  # type: ignore[index]
    _filters_changed()


def _later(described: Any) -> None:
    """A filter for a warning of a library that isn't loaded waits for it."""
    from .settings_table import on_import

    def insert(_: Any) -> None:
        import warnings

        found = _filter(described)
        if found is not None and found not in warnings.filters:
            warnings.filters.insert(0, found)  # type: ignore[attr-defined]
            _filters_changed()

    module = described[2][0]
    if module != "__main__" and module not in sys.modules:
        on_import.call(module, insert)


def _filters_changed() -> None:
    import warnings

    for name in ("_filters_mutated", "_filters_mutated_lock_held"):
        changed = getattr(warnings, name, None)
        if changed is not None:
            with getattr(warnings, "_lock", _Nothing()):
                changed()
            return


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _filter(described: Any) -> Any:
    action, message, (owner, name), module, line = described
    found: Any = sys.modules.get(owner)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        return None
    return action, _compiled(message), found, _compiled(module), line


def _compiled(pattern: Any) -> Any:
    if not isinstance(pattern, list):
        return pattern
    import re

    return re.compile(*pattern)


# -- libraries of Python's own -------------------------------------------------------------------


def get_random() -> State:
    import random

    return {"state": random.getstate()}


def set_random(values: State, gone: List[str]) -> None:
    import random

    version, numbers, gauss = values["state"]
    random.setstate((version, tuple(numbers), gauss))


def seed_random(seed: int) -> None:
    import random

    random.seed(seed)


_CONTEXT = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")


def get_decimal() -> State:
    import decimal

    context = decimal.getcontext()
    found: State = {name: getattr(context, name) for name in _CONTEXT}
    found["traps"] = sorted(signal.__name__ for signal, on in context.traps.items() if on)
    return found


def set_decimal(values: State, gone: List[str]) -> None:
    import decimal

    context = decimal.getcontext()
    for name in _CONTEXT:
        if name in values:
            setattr(context, name, values[name])
    if "traps" in values:
        for signal in list(context.traps):
            context.traps[signal] = signal.__name__ in values["traps"]


def get_csv() -> State:
    import csv

    return {"field_size_limit": csv.field_size_limit()}


def set_csv(values: State, gone: List[str]) -> None:
    import csv

    csv.field_size_limit(values["field_size_limit"])


def get_socket() -> State:
    import socket

    return {"timeout": socket.getdefaulttimeout()}


def set_socket(values: State, gone: List[str]) -> None:
    import socket

    socket.setdefaulttimeout(values["timeout"])
