"""What the node is: libraries, modules, graphics cards, and the variables that may change a result."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List

NVIDIA = "/proc/driver/nvidia"
_LONGEST = 60  # no value here is longer, and no password is looked for
_VARIABLES = (  # all that is ever recorded of the environment's variables
    *("PYTHONHASHSEED", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"),
    *("CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "JAX_ENABLE_X64", "TZ", "LANG", "LC_ALL"),
)
_PLACES = {"modules": "LOADEDMODULES", "conda": "CONDA_PREFIX", "container": "APPTAINER_CONTAINER"}


def describe() -> Dict[str, Any]:
    """Return a record of this node, from files and variables only: it is made before every cell."""
    system = os.uname()
    record: Dict[str, Any] = {"system": f"{system.sysname} {system.release} {system.machine}"}
    try:
        record["libc"] = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):  # another C library
        pass
    values = {name: os.environ.get(name, "") for name in _VARIABLES}
    record["variables"] = {name: value for name, value in values.items() if 0 < len(value) <= _LONGEST}
    record.update({key: os.environ[name] for key, name in _PLACES.items() if os.environ.get(name)})
    if os.path.isdir(NVIDIA):
        record.update(cards(NVIDIA))
    return record


def cards(folder: str) -> Dict[str, Any]:
    """Return the node's NVIDIA cards and their driver, as the driver itself says in ``/proc``."""
    found: List[Dict[str, str]] = []
    try:
        for name in sorted(os.listdir(os.path.join(folder, "gpus"))):
            fields = _fields(os.path.join(folder, "gpus", name, "information"))
            found.append({"name": fields.get("Model", ""), "uuid": fields.get("GPU UUID", "")})
        with open(os.path.join(folder, "version"), encoding="ascii", errors="replace") as file:
            words = file.readline().split()
    except OSError:
        return {"gpus": found} if found else {}
    driver = [word for word in words if word[0].isdigit() and "." in word]
    return {"gpus": found, "driver": driver[0] if driver else None}


def _fields(path: str) -> Dict[str, str]:
    with open(path, encoding="utf-8", errors="replace") as file:
        pairs = [line.partition(":") for line in file]
    return {key.strip(): value.strip() for key, _, value in pairs}
