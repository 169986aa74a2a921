"""Where a run's code comes from: the repositories of its notebook, of local modules and of editable packages."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ...capture.environment import git
from ...model.redaction import code_redacted
from ...rundir import blobs
from ...rundir.run import Run
from ...worker.digest import digest_file

NOTEBOOK = "notebook"
_MOST = 20  # repositories


async def repositories(
    run: Run, folder: str, modules: Mapping[str, Path], direct: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the state of each repository that a run's code is in; what is not committed becomes blobs of the run.

    Parameters
    ----------
    folder : str
        The notebook's folder.
    modules : mapping of str to Path
        Files of local modules that travel with the run.
    direct : mapping
        Distributions with their PEP 610 record.
    """
    found = []
    for top, names in _tops(folder, modules, editable(direct)).items():
        state = await git.state(top)
        if state is None:
            continue
        record = {"of": names, **state.to_record(), "diff": None}
        if state.diff:
            text = code_redacted(state.diff)
            record["diff"] = blobs.keep(run, text.encode())
            record["diff_redacted"] = text != state.diff
            record["diff_left_out"] = list(state.left_out)
        record["travelled"] = await _not_committed(top, modules)
        found.append(record)
    return found


def editable(direct: Mapping[str, Any]) -> dict[str, str]:
    """Return the folders of editable packages that this process has loaded, by distribution."""
    found = {}
    for name, record in direct.items():
        if isinstance(record, dict) and (record.get("dir_info") or {}).get("editable"):
            found[name] = unquote(urlsplit(str(record.get("url"))).path)
    if not found:
        return {}
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    loaded = {os.path.dirname(path) + os.sep for path in files if isinstance(path, str)}
    return {name: at for name, at in found.items() if any(path.startswith(at + os.sep) for path in loaded)}


def _tops(folder: str, modules: Mapping[str, Path], packages: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the work trees, each with what is in it: the notebook, modules, packages."""
    places = [(NOTEBOOK, folder), *packages.items()]
    places += dict.fromkeys((name.split("/")[0].removesuffix(".py"), str(p.parent)) for name, p in modules.items())
    found: dict[str, list[str]] = {}
    for name, place in places:
        top = git.top_of(place)
        if top is not None and (top in found or len(found) < _MOST):
            known = found.setdefault(top, [])
            known += [name] if name not in known else []
    return found


async def _not_committed(top: str, modules: Mapping[str, Path]) -> dict[str, str]:
    """Return the files of this work tree that travelled and that git doesn't have, with their digests."""
    inside = {os.path.realpath(path): name for name, path in modules.items()}
    files = {os.path.relpath(path, top): path for path in inside if path.startswith(top + os.sep)}
    if not files:
        return {}
    unknown = sorted(set(files) - await git.tracked(top, files))
    return {name: digest_file(files[name]) for name in unknown if os.path.isfile(files[name])}
