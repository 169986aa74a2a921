"""Settings, and where each value came from.

Read from ``jupyter_hpc_config.json`` and ``jupyter_hpc_config.py`` on Jupyter's configuration path (environment
before user before system), so that an administrator, a project and a user each have a place; environment
variables come before all files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from traitlets import Bool, Dict, Enum, Unicode
from traitlets.config import Config, Configurable

from ..model.exceptions import TargetError

CONFIG_NAME = "jupyter_hpc_config"
BUILT_IN_TARGETS = {"local": "local", "slurm": "slurm", "k8s": "kubernetes"}  # name → backend


class JupyterHPC(Configurable):
    """Settings of jupyter_hpc."""

    root = Unicode(
        "", help="Folder for run directories; kernel and nodes must both see it. Empty: see default_root()."
    ).tag(config=True)
    default_target = Unicode("slurm", help="Where `%%hpc` and `submit()` run when no target is named.").tag(config=True)
    warn_stale = Bool(False, help="Say so when a cell is sent a value that is stale.").tag(config=True)
    most_unseen = Unicode(
        "256M",
        help="How much is sent at most because a cell hides the names that it reads (`eval`, `globals()`).",
    ).tag(config=True)
    metrics = Enum(
        ("on", "logged", "off"),
        "on",
        help="Which numbers of a cell are kept and drawn: those that it prints and logs, only those that it logs with "
        "`jupyter_hpc.log`, or none.",
    ).tag(config=True)
    targets = Dict(
        help="Named places to run: name → {backend, conf, prologue, defaults: {cpus, memory, gpus, time, …}}."
    ).tag(config=True)


@dataclass(frozen=True)
class Setting:
    """One effective value and the file or variable it came from."""

    name: str
    value: Any
    source: str


def config_files() -> list[Path]:
    """Return the configuration files that exist, the most important first."""
    return [path for path in _candidates(tuple(map(os.environ.get, _PLACES))) if path.is_file()]


_PLACES = (  # what Jupyter's configuration path depends on
    *("JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_NO_CONFIG", "JUPYTER_PREFER_ENV_PATH"),
    *(
        "JUPYTER_PLATFORM_DIRS",
        "HOME",
        "XDG_CONFIG_HOME",
        "XDG_CONFIG_DIRS",
        "CONDA_PREFIX",
        "CONDA_DEFAULT_ENV",
    ),
)


@lru_cache(maxsize=4)
def _candidates(places: tuple[str | None, ...]) -> tuple[Path, ...]:
    """Return where files may be; found out once, as every submission asks several times."""
    from jupyter_core.paths import jupyter_config_path

    return tuple(
        dict.fromkeys(
            Path(folder, CONFIG_NAME + ending) for folder in jupyter_config_path() for ending in (".json", ".py")
        )
    )


def _load(path: Path) -> Config:
    from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

    loader = JSONFileConfigLoader if path.suffix == ".json" else PyFileConfigLoader
    try:
        return loader(path.name, str(path.parent)).load_config()
    except Exception as error:  # the file is Python of the user's own
        raise TargetError(f"{path} can't be read: {type(error).__name__}: {error}") from None


_cache: tuple[tuple[tuple[Path, int], ...], list[tuple[Path, Config]]] | None = None


def configs() -> list[tuple[Path, Config]]:
    """Return the parsed files, read again when one changed."""
    global _cache
    stamps = tuple((path, path.stat().st_mtime_ns) for path in config_files())
    if _cache is None or _cache[0] != stamps:
        _cache = (stamps, [(path, _load(path)) for path, _ in stamps])
    return _cache[1]


def configured_targets() -> list[tuple[str, dict[str, Any], str]]:
    """Return (name, settings, file) of each target that a file says something of, the most important file last.

    Raises
    ------
    TargetError
        If they are no dicts by name.
    """
    found = []
    for path, config in reversed(configs()):
        targets = config.get("JupyterHPC", {}).get("targets") or {}
        if not isinstance(targets, dict) or not all(isinstance(raw, dict) for raw in targets.values()):
            raise TargetError(
                f"`targets` in {path} is no dict of names and settings.",
                hint='Write it as {"big": {"backend": "slurm", "defaults": {"partition": "big"}}}.',
            )
        found += [(str(name), dict(raw), str(path)) for name, raw in targets.items()]
    return found


def target_names() -> list[str]:
    """Return the names of all targets; none of them is made, and no backend imported."""
    return list(dict.fromkeys([*BUILT_IN_TARGETS, *(name for name, _, _ in configured_targets())]))


def settings() -> list[Setting]:
    """Return every effective value but the targets, and where it came from."""
    found: list[Setting] = []
    for name, trait in sorted(JupyterHPC.class_traits(config=True).items()):
        if name == "targets":
            continue
        value, source = trait.default(), "built in"
        for path, config in reversed(configs()):
            if name in config.get("JupyterHPC", {}):
                value, source = config["JupyterHPC"][name], str(path)
        if name == "root":
            value, source = root()
        if name == "default_target" and os.environ.get("JUPYTER_HPC_TARGET"):
            value, source = os.environ["JUPYTER_HPC_TARGET"], "JUPYTER_HPC_TARGET"
        if name == "metrics" and os.environ.get("JUPYTER_HPC_METRICS"):
            value, source = os.environ["JUPYTER_HPC_METRICS"], "JUPYTER_HPC_METRICS"
        found.append(Setting(name, value, source))
    return found


def root() -> tuple[Path, str]:
    """Return the folder of run directories, and where that was said."""
    configured, source = "", "built in"
    for path, config in reversed(configs()):
        if "root" in config.get("JupyterHPC", {}):
            configured, source = str(config["JupyterHPC"]["root"] or ""), str(path)
    if os.environ.get("JUPYTER_HPC_ROOT"):
        return Path(os.environ["JUPYTER_HPC_ROOT"]).expanduser().absolute(), "JUPYTER_HPC_ROOT"
    if configured:
        return Path(os.path.expandvars(configured)).expanduser().absolute(), source
    scratch = os.environ.get("SCRATCH")
    if scratch and os.access(scratch, os.W_OK):
        return Path(scratch, ".jupyter_hpc"), "SCRATCH"
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir(), "hpc"), "built in"


def setting(name: str) -> Any:
    """Return one effective value."""
    return next(s.value for s in settings() if s.name == name)
