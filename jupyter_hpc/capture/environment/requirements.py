"""What an environment for the node is built from: the kernel's own packages, or a file of the user's."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...model.exceptions import CaptureError, OptionError
from ...worker.digest import digest_bytes
from ...worker.versions import MENTIONED
from .snapshot import snapshot

AUTO = "auto"
FILE_BYTES = 4 << 20
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.!_-]*")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[!-~]+")
_ELSEWHERE = re.compile(r"\s*(?:(?:-r|--requirement|-c|--constraint|-e|--editable)(?![\w-])|\.\.?/)")
_PYLOCK = re.compile(r"pylock\.(?:[^.]+\.)?toml")
_PROGRAM_BYTES = 1 << 20  # a smaller uv is a script that starts another one


@dataclass(frozen=True)
class Requirements:
    """A list of packages for ``uv``.

    Attributes
    ----------
    source : str
        ``auto``, or the path of the user's file.
    file : str
        The name that tells the build what the text is: lock.txt (exact, complete), requirements.txt or pylock.toml.
    left_out : mapping of str to str
        Packages of the kernel that can't be installed elsewhere, and why.
    """

    source: str
    file: str
    text: str
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        if self.file == "pylock.toml":
            names = re.findall(r'^name\s*=\s*"([^"]+)"', self.text, re.MULTILINE)
            versions = re.findall(r'^version\s*=\s*"([^"]+)"', self.text, re.MULTILINE)
            return [f"{n}=={v}" for n, v in zip(names, versions)] if len(names) == len(versions) else names
        found = (line.strip() for line in self.text.splitlines())
        return [line for line in found if line and not line.startswith(("#", "-"))]

    @property
    def digest(self) -> str:
        """The lock's digest; with the Python's minor version it names the environment."""
        return digest_bytes(self.text.encode())

    def folder_name(self, *bases: str) -> str:
        """Return the name under which the environment is kept, for an interpreter chosen by ``bases``."""
        minor = f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"
        key = "\0".join([self.file, self.text, minor, *bases])
        return digest_bytes(key.encode()).partition(":")[2][:24]

    def to_record(self) -> dict[str, Any]:
        record = {
            "source": self.source,
            "digest": self.digest,
            "packages": len(self.lines),
            "lock": self.lines,
        }
        return {**record, "left_out": dict(self.left_out)} if self.left_out else record


def read(wanted: str) -> Requirements:
    """Return the requirements that ``--requirements`` names.

    Raises
    ------
    OptionError
        If the file can't be used.
    """
    return of_kernel(snapshot().record) if wanted == AUTO else of_file(wanted)


def of_kernel(record: Mapping[str, Any]) -> Requirements:
    """Return the kernel's own packages, each pinned; editable ones travel as source when a cell uses them."""
    lines, left_out = [], {}
    for name, version in record["packages"].items():
        direct = record["direct"].get(name)
        url = _url(direct) if direct else None
        public = version.partition("+")[0]  # a local label names a build that the index doesn't have
        if not _NAME.fullmatch(name) or not _VERSION.fullmatch(public):
            left_out[name[:100]] = "its metadata is broken"
        elif direct and direct.get("dir_info", {}).get("editable"):
            left_out[name] = "editable: its source travels when a cell uses it"
        elif direct and "dir_info" in direct and _exists(direct):
            left_out[name] = f"installed from {direct['url'][:200]}, so it can't be had elsewhere"
        elif url:
            lines.append(f"{name} @ {url}")
        else:
            lines.append(f"{name}=={public}")
    return Requirements(AUTO, "lock.txt", "".join(f"{line}\n" for line in lines), left_out)


def _exists(direct: Mapping[str, Any]) -> bool:
    """Tell whether a local folder is there: conda's packages name one of the machine that built them."""
    return Path(str(direct.get("url", "")).removeprefix("file://")).exists()


def _url(direct: Mapping[str, Any]) -> str | None:
    """Return PEP 610's record as a requirement's URL; None where the index has to do."""
    url, tail = str(direct.get("url", "")), ""
    if "vcs_info" in direct:
        info = direct["vcs_info"]
        url = f"{info.get('vcs', 'git')}+{url}@{info.get('commit_id', '')}"
        tail = f"#subdirectory={direct['subdirectory']}" if direct.get("subdirectory") else ""
    elif "archive_info" not in direct or (url.startswith("file://") and not _exists(direct)):
        return None
    return url + tail if _URL.fullmatch(url + tail) else None


def of_file(path: str) -> Requirements:
    """Return the content of a requirements.txt or a pylock.toml."""
    file = Path(path).expanduser().absolute()
    kinds = "It takes auto, a requirements.txt or a pylock.toml."
    try:
        data = file.read_bytes() if file.stat().st_size <= FILE_BYTES else b"\0"
        text = data.decode("utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise OptionError(f"--requirements {path[:200]!r} can't be read: {why}.", hint=kinds) from None
    if _PYLOCK.fullmatch(file.name):
        return Requirements(str(file), "pylock.toml", text)
    if file.suffix not in (".txt", ".in") or "\0" in text:
        raise OptionError(f"--requirements {path[:200]!r} is neither of the files that uv reads.", hint=kinds)
    for number, line in enumerate(text.splitlines(), 1):
        if _ELSEWHERE.match(line):
            raise OptionError(
                f"Line {number} of {file.name}, {line.strip()[:80]!r}, names another file, which does not travel.",
                hint="Write that file's lines here; an editable package's source travels when a cell uses it.",
            )
    return Requirements(str(file), "requirements.txt", text)


def check_complete(wanted: Requirements, needed: Mapping[str, Sequence[Any]]) -> None:
    """Refuse requirements that lack a package without which the job is certain to fail.

    Parameters
    ----------
    needed : mapping
        For each module its distribution, version, and how it is needed, as in a payload's manifest.

    Raises
    ------
    CaptureError
        Naming the package and why it was left out.
    """
    for name, _, need in needed.values():
        if need != MENTIONED and name in wanted.left_out:
            raise CaptureError(
                f"The cell needs {name}, which can't be built on the node: {wanted.left_out[name]}.",
                hint="Install it from an index, or from its folder with `pip install -e`: then its source travels. "
                "Nothing was submitted.",
            )


def find_uv() -> Path:
    """Return the uv program beside the kernel's Python or on PATH.

    Raises
    ------
    OptionError
        If there is none.
    """
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else _packaged() or shutil.which("uv")
    if not found:
        raise OptionError(
            f"--requirements needs uv, which is neither beside {sys.executable} nor on PATH.",
            hint="pip install uv",
        )
    return Path(found)


def _packaged() -> str | None:
    try:
        import uv

        return str(uv.find_uv_bin())
    except (ImportError, OSError):
        return None


def is_program(uv: Path) -> bool:
    """Tell whether the file is uv itself, which works wherever it is copied."""
    return uv.stat().st_size > _PROGRAM_BYTES
