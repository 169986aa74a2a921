"""The local modules of a submission, frozen under the store's root by their content."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..capture.environment.beside import freeze
from ..capture.environment.modules import LocalModules
from ..model.exceptions import NotOurs
from ..rundir.opened import open_below
from ..rundir.store import Store
from ..worker.digest import digest_open

_CACHE = "__pycache__"
_seen: set[tuple[str, int]] = set()  # folders that this process looked through


def frozen_paths(runs: Store, modules: LocalModules) -> list[str]:
    if not modules.files:
        return []
    return [str(runs.root / "modules" / modules.digest.partition(":")[2][:24])]


def freeze_modules(runs: Store, modules: LocalModules) -> list[str]:
    paths = frozen_paths(runs, modules)
    for path in map(Path, paths):
        if not _is_as_frozen(runs, path, modules):
            runs.unpublish(path)
        runs.publish(
            path,
            lambda folder: freeze(modules.files, modules.texts, modules.digests, folder, runs.keep),
        )
    return paths


def _is_as_frozen(runs: Store, path: Path, modules: LocalModules) -> bool:
    """Whether a frozen folder holds what its name says, for it is run; also if it isn't there at all."""
    try:
        with open_below(runs.root, path.relative_to(runs.root).parts) as folder:
            state = (str(path), os.fstat(folder.descriptor).st_ino)
            if state in _seen:
                return True
            found = set()
            for name, inside, last in folder.files():
                if _CACHE in name.split("/"):  # made by nodes; a folder of another's was refused
                    continue
                found.add(name)
                if stat.S_ISLNK(os.stat(last, dir_fd=inside.descriptor, follow_symlinks=False).st_mode):
                    if os.readlink(last, dir_fd=inside.descriptor) != str(modules.files.get(name)):  # a very large file
                        return False
                    continue
                with inside.file(last) as file:
                    digest = modules.digests.get(name, "")
                    if not digest or digest_open(file, digest.partition(":")[0]) != digest:
                        return False
    except FileNotFoundError:
        return True
    except NotOurs:
        return False
    if found != {name for name in modules.files if _CACHE not in name.split("/")}:
        return False
    _seen.add(state)
    return True
