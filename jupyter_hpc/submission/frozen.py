"""The local modules of a submission, frozen under the store's root by their content."""

from __future__ import annotations

from pathlib import Path

from ..capture.environment.beside import freeze
from ..capture.environment.modules import LocalModules
from ..rundir.store import Store


def frozen_paths(runs: Store, modules: LocalModules) -> list[str]:
    if not modules.files:
        return []
    return [str(runs.root / "modules" / modules.digest.partition(":")[2][:24])]


def freeze_modules(runs: Store, modules: LocalModules) -> list[str]:
    paths = frozen_paths(runs, modules)
    for path in paths:
        runs.publish(
            Path(path),
            lambda folder: freeze(modules.files, modules.texts, modules.digests, folder, runs.keep),
        )
    return paths
