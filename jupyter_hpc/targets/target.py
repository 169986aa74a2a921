"""Targets and settings, and where each value came from.

Read from ``jupyter_hpc_config.json`` and ``jupyter_hpc_config.py`` on Jupyter's configuration path (environment
before user before system), so that an administrator, a project and a user each have a place; environment
variables come before all files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from traitlets import Bool, Dict, Unicode
from traitlets.config import Config, Configurable

from ..backends.base import Backend, backend_class
from ..jobs.job import JobSpec
from ..model.exceptions import TargetError
from ..model.resources import Resources
from ..runs.store import Store

CONFIG_NAME = "jupyter_hpc_config"
_INTERPRETERS = {"python", "venv", "conda", "requirements"}


class JupyterHPC(Configurable):
    """Settings of jupyter_hpc."""

    root = Unicode(
        "", help="Folder for run directories; kernel and nodes must both see it. Empty: see default_root()."
    ).tag(config=True)
    default_target = Unicode("slurm", help="Where `%%hpc` and `submit()` run when no target is named.").tag(
        config=True
    )
    warn_stale = Bool(False, help="Say so when a cell is sent a value that is stale.").tag(config=True)
    most_unseen = Unicode(
        "256M",
        help="How much is sent at most because a cell hides the names that it reads (`eval`, `globals()`).",
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


@dataclass(frozen=True)
class Target:
    """A named place to run: a backend, its settings, default resources."""

    name: str
    backend: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    source: str = "built in"

    def make_backend(self) -> Backend:
        return backend_class(self.backend)(self.settings)

    def complete(self, spec: JobSpec) -> JobSpec:
        """Return the spec with this target's defaults where it says nothing.

        Raises
        ------
        OptionError
            If a default is no resource and no option.
        """
        from dataclasses import fields, replace

        plain = {f.name for f in fields(JobSpec)} - {"resources", "env", "modules", "passthrough", "prologue"}
        resources = Resources.parse(
            **{k: v for k, v in self.defaults.items() if k not in plain | {"modules"}}
        )
        if any(
            getattr(spec, k) for k in _INTERPRETERS
        ):  # the cell chose one: the target's is no second choice
            plain -= _INTERPRETERS
        changes: dict[str, Any] = {
            k: self.defaults[k] for k in plain if self.defaults.get(k) and getattr(spec, k) is None
        }
        changes["prologue"] = self.prologue()
        if not spec.modules and self.defaults.get("modules"):
            changes["modules"] = tuple(self.defaults["modules"])
        return replace(spec, resources=spec.resources.merged(resources), **changes)

    def prologue(self) -> str:
        """Return the setting ``prologue``: lines of shell that run on the node before the worker.

        Raises
        ------
        TargetError
            If it is neither text nor a list of lines.
        """
        lines = self.settings.get("prologue") or ""
        lines = [lines] if isinstance(lines, str) else lines
        if not isinstance(lines, list) or any(not isinstance(x, str) or "\0" in x for x in lines):
            raise TargetError(
                f"The setting prologue of target {self.name} ({self.source}) is neither text nor a list of lines.",
                hint='Write it as "prologue": ["module use /opt/site", "ulimit -c 0"].',
            )
        return "".join(line.rstrip("\n") + "\n" for line in lines if line)


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
            Path(folder, CONFIG_NAME + ending)
            for folder in jupyter_config_path()
            for ending in (".json", ".py")
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


def _configs() -> list[tuple[Path, Config]]:
    """Return the parsed files, read again when one changed."""
    global _cache
    stamps = tuple((path, path.stat().st_mtime_ns) for path in config_files())
    if _cache is None or _cache[0] != stamps:
        _cache = (stamps, [(path, _load(path)) for path, _ in stamps])
    return _cache[1]


def settings() -> list[Setting]:
    """Return every effective value and where it came from."""
    found: list[Setting] = []
    for name, trait in sorted(JupyterHPC.class_traits(config=True).items()):
        if name == "targets":
            continue
        value, source = trait.default(), "built in"
        for path, config in reversed(_configs()):
            if name in config.get("JupyterHPC", {}):
                value, source = config["JupyterHPC"][name], str(path)
        if name == "root":
            value, source = _root(str(value or ""), source)
        if name == "default_target" and os.environ.get("JUPYTER_HPC_TARGET"):
            value, source = os.environ["JUPYTER_HPC_TARGET"], "JUPYTER_HPC_TARGET"
        found.append(Setting(name, value, source))
    found += [Setting(f"targets.{t.name}", t, t.source) for t in targets().values()]
    return found


def _root(configured: str, source: str) -> tuple[Path, str]:
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


def store() -> Store:
    """Return the store under the configured root."""
    configured, source = "", "built in"
    for path, config in reversed(_configs()):
        if "root" in config.get("JupyterHPC", {}):
            configured, source = config["JupyterHPC"]["root"], str(path)
    return Store(_root(configured, source)[0])


def targets() -> dict[str, Target]:
    """Return all targets: the built-in ones, and those of the configuration files."""
    found = {"local": Target("local", "local"), "slurm": _slurm(), "k8s": Target("k8s", "kubernetes")}
    found |= _practice_kubernetes()
    for path, config in reversed(_configs()):
        for name, raw in (config.get("JupyterHPC", {}).get("targets") or {}).items():
            raw = dict(raw)
            base = found.get(name)
            backend = raw.pop("backend", base.backend if base else name)
            defaults = raw.pop("defaults", {})
            found[name] = Target(
                name, backend, {**(base.settings if base else {}), **raw}, defaults, str(path)
            )
    return found


def _slurm() -> Target:
    """The machine's own Slurm; else the practice cluster, when it is up."""
    if os.environ.get("SLURM_CONF") or any(
        Path(p).exists() for p in ("/etc/slurm/slurm.conf", "/run/slurm/conf/slurm.conf")
    ):
        return Target("slurm", "slurm")
    from ..practice import find_running_conf

    conf = find_running_conf()
    if conf is None:
        return Target("slurm", "slurm")
    return Target("slurm", "slurm", {"conf": str(conf)}, source="practice cluster")


def _practice_kubernetes() -> dict[str, Target]:
    """The practice Kubernetes as ``k8s``, when it is up and nothing else tells which cluster to use."""
    if (
        os.environ.get("KUBECONFIG")
        or os.environ.get("KUBERNETES_SERVICE_HOST")
        or Path("~/.kube/config").expanduser().exists()
    ):
        return {}
    from ..practice.kubernetes import find_running

    found = find_running()
    return {"k8s": Target("k8s", "kubernetes", found, source="practice cluster")} if found else {}


def target(name: str) -> Target:
    """Return a target by name.

    Raises
    ------
    TargetError
        If there is none, naming those that are.
    """
    known = targets()
    if name not in known:
        import difflib

        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise TargetError(
            f"There is no target {name[:80]!r}.",
            hint=f"{hint}Targets: {', '.join(known)}. `%hpc targets` shows them.",
        )
    return known[name]
