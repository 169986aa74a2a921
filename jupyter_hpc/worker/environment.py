"""In a pod: the environment that ``--requirements`` asks for, built by the first job that doesn't find it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time

from .events import EVENTS, LOG

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

ANOTHER_BUILT = 10  # build.sh's word for it
_TAIL = 3
_HINT = (
    "A pod that reaches no package index can have another (`--env UV_DEFAULT_INDEX=URL`) or a folder of wheels on a "
    "volume (`--env UV_FIND_LINKS=DIR --env UV_OFFLINE=1`); or an image that has the packages."
)


class Environment:
    """A folder with a lock, in which an environment is built for each kind of machine and image.

    Parameters
    ----------
    directory : str
        The run directory; ``environment`` in it is the folder, or what it is made from.
    wanted : dict
        ``folder``, ``kind``, and whether the interpreter was chosen with ``--python``.
    """

    def __init__(self, directory: str, wanted: Dict[str, Any]) -> None:
        self.directory = directory
        self.log = os.path.join(directory, LOG)
        self.folder: str = wanted["folder"]
        self.machine = os.uname().machine
        self.kind = f"{self.machine}-{wanted['kind']}"
        self._source = os.path.join(directory, "environment")
        self._own_python = wanted["own_python"]
        self._uv_folder = os.path.join(os.path.dirname(self.folder), f"uv-{self.machine}")

    @property
    def python(self) -> str:
        return os.path.join(self.folder, self.kind, "bin", "python")

    def exists(self) -> bool:
        return os.access(self.python, os.X_OK)

    def publish(self) -> None:
        """Make the folder, unless it is there; it is whole as soon as it has its name."""
        if os.path.isdir(self.folder):
            return
        draft = f"{self.folder}.{os.uname().nodename}.{os.getpid()}"
        os.makedirs(os.path.dirname(self.folder), 0o700, exist_ok=True)
        shutil.copytree(self._source, draft)
        try:
            os.rename(draft, self.folder)
        except OSError:  # another was first
            shutil.rmtree(draft, ignore_errors=True)

    def uv(self) -> Optional[str]:
        """Return the uv to build with, if there is one."""
        beside = (os.path.join(folder, "uv") for folder in (self.folder, self._uv_folder))
        return next((path for path in beside if os.access(path, os.X_OK)), None) or shutil.which("uv")

    def take_uv(self) -> None:
        """Keep the uv that was sent, for this job and those after it."""
        os.makedirs(self._uv_folder, 0o700, exist_ok=True)
        draft = os.path.join(self._uv_folder, f"uv.{os.uname().nodename}.{os.getpid()}")
        shutil.move(os.path.join(self._source, "uv"), draft)
        os.chmod(draft, 0o755)
        os.replace(draft, os.path.join(self._uv_folder, "uv"))

    def event(self, kind: str, **fields: Any) -> None:
        with open(os.path.join(self.directory, EVENTS), "a", encoding="utf-8") as file:
            file.write(json.dumps({"e": kind, "t": time.time(), **fields}) + "\n")

    def build(self, variables: Dict[str, str]) -> None:
        """Become the build; what it says goes into the log."""
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for source, target in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.environ.update(variables)
        os.environ["PATH"] = f"{self._uv_folder}:{os.environ.get('PATH', os.defpath)}"
        os.execvp("sh", ["sh", os.path.join(self.folder, "build.sh"), self._base(), self.kind])

    def _base(self) -> str:
        """Return this Python if it was chosen or has the kernel's version; empty lets uv look for one, or get it."""
        with open(os.path.join(self.folder, "python"), encoding="ascii") as file:
            minor = file.read().strip()
        is_right = minor == f"{sys.version_info[0]}.{sys.version_info[1]}"
        return sys.executable if is_right or self._own_python else ""

    def refusal(self) -> str:
        """Return what to say when the build has failed."""
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                said = " ".join(" ".join(file.read().splitlines()[-_TAIL:]).split())
        except OSError:
            said = "the image has no shell (sh)"
        where = os.environ.get("JUPYTER_HPC_NODE") or os.uname().nodename
        return f"jupyter_hpc: the environment could not be built on {where}: {said}\njupyter_hpc hint: {_HINT}"

    def activate(self) -> str:
        """Make it this process' own, as a shell would; return its interpreter."""
        os.environ["VIRTUAL_ENV"] = os.path.join(self.folder, self.kind)
        os.environ["PATH"] = f"{os.path.dirname(self.python)}:{os.environ.get('PATH', os.defpath)}"
        return self.python
