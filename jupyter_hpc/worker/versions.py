"""Versions of installed packages, without importing them, and how they differ from the sender's."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

# how much depends on a package: the payload holds its arrays or names it, the cell begins by importing it, or code may
ARRAYS, LOADED, IMPORTED, MENTIONED = "arrays", "loaded", "imported", "mentioned"


def site_folders() -> List[List[Any]]:
    """Return the folders that packages are installed in, each with its time of change."""
    found = []
    for path in sys.path:
        if os.path.basename(path) in ("site-packages", "dist-packages"):
            try:
                found.append([path, os.stat(path).st_mtime_ns])
            except OSError:
                continue
    return found


def normalized(name: str) -> str:
    """Return a distribution's name as its metadata folder spells it."""
    return name.lower().replace("-", "_").replace(".", "_")


def installed() -> Dict[str, str]:
    """Return every distribution on ``sys.path``, from the names of the metadata folders (fast): name → version."""
    found: Dict[str, str] = {}
    for path in sys.path:
        try:
            entries = os.listdir(path or ".")
        except OSError:
            continue
        for entry in entries:
            stem, ending = os.path.splitext(entry)
            name, dash, version = stem.partition("-")
            if dash and ending in (".dist-info", ".egg-info"):
                found.setdefault(normalized(name), version.partition("-")[0])
    return found


def direct() -> Dict[str, Any]:
    """Return PEP 610's record of each distribution that was installed from a folder, a file or a repository."""
    import json

    found: Dict[str, Any] = {}
    for path in sys.path:
        try:
            entries = [e for e in os.listdir(path or ".") if e.endswith(".dist-info")]
        except OSError:
            continue
        for entry in entries:
            try:
                with open(os.path.join(path, entry, "direct_url.json"), encoding="utf-8") as file:
                    record = json.load(file)
            except (OSError, ValueError):
                continue
            scheme, _, rest = str(record.get("url") or "").partition("://")
            authority, slash, place = rest.partition("?")[0].partition("/")
            record["url"] = scheme + "://" + authority.rpartition("@")[2] + slash + place
            found.setdefault(normalized(entry.partition("-")[0]), record)
    return found


def drift(sent: Dict[str, Any], here: Dict[str, str]) -> List[Dict[str, Optional[str]]]:
    """Return what differs by more than a patch release, or is missing: name, version there and here, how it is needed.

    Parameters
    ----------
    sent : dict
        The sender's manifest.
    here : dict
        What :func:`installed` found.
    """
    found: List[Dict[str, Optional[str]]] = []
    minor = sys.version_info[:2]
    if tuple(sent["python"][:2]) != minor:
        found.append(_row("Python", sent["python"], "%d.%d.%d" % sys.version_info[:3], MENTIONED))
    for module, (name, version, need) in sent["environment"]["packages"].items():
        have = here.get(normalized(name)) if name else None
        if have is None and not _is_there(module):
            found.append(_row(name or module, version, None, need))
        elif have is not None and version is not None and release(have) != release(version):
            found.append(_row(name, version, have, need))
    return found


def _row(name: str, sent: Any, node: Optional[str], need: str) -> Dict[str, Optional[str]]:
    version = ".".join(map(str, sent)) if isinstance(sent, list) else sent
    return {"name": name, "kernel": version, "node": node, "need": need}


def _is_there(module: str) -> bool:
    import importlib.util

    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # half installed
        return False


def release(version: str) -> Tuple[int, ...]:
    """Return major and minor number; an epoch, a suffix or a local label doesn't count."""
    numbers: List[int] = []
    for part in version.rpartition("!")[2].partition("+")[0].split(".")[:2]:
        digits = ""
        for char in part:
            if not char.isdigit():
                break
            digits += char
        numbers.append(int(digits or 0))
    return tuple(numbers + [0] * (2 - len(numbers)))


def words(row: Dict[str, Optional[str]]) -> str:
    """Say one difference."""
    if row["node"] is None:
        return "no %s on the node, %s here" % (row["name"], row["kernel"] or "none")
    return "%s %s on the node, %s here" % (row["name"], row["node"], row["kernel"])


def problem(rows: List[Dict[str, Optional[str]]], node: str) -> Optional[Tuple[str, str]]:
    """Return what is certain to fail, as a sentence and what to do about it; None if the job may succeed.

    Arrays name private modules of their numpy, which have moved with its major version.
    """
    missing = [r for r in rows if r["node"] is None and r["need"] != MENTIONED]
    # what the kernel hasn't either fails as it would there, with the cell's own exception
    missing = [r for r in missing if r["need"] != IMPORTED or r["kernel"] is not None]
    unreadable = [r for r in rows if r["need"] == ARRAYS and r["node"] and _major(r["node"]) != _major(r["kernel"])]
    if not missing and not unreadable:
        return None
    names = " ".join(str(r["name"]) for r in missing + unreadable)
    if missing:
        needs = ", ".join(_needed(r) for r in missing)
        sentence = "The cell needs %s, and %s has no %s." % (needs, node, names.replace(" ", ", "))
    else:
        row = unreadable[0]
        sentence = "The notebook uses numpy %s, and %s has numpy %s: arrays can't travel between them." % (
            (row["kernel"], node, row["node"])
        )
    return sentence, (
        "Install %s there, choose another Python with --python, --venv, --conda or --module, "
        "or have the kernel's own packages installed with --requirements auto." % names
    )


def _needed(row: Dict[str, Optional[str]]) -> str:
    why = "imports it" if row["need"] == IMPORTED else "uses it"
    return "%s (%s; %s here)" % (row["name"], why, row["kernel"] or "none")


def _major(version: Optional[str]) -> Optional[int]:
    return release(version)[0] if version else None
