"""A run once more: the same code on the same inputs in the same environment, and whether it made the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..capture.environment.snapshot import snapshot
from ..lineage.ask.parameters import changed
from ..lineage.index.activity import environment, outputs, packages
from ..model.exceptions import OptionError
from ..rundir.blobs import store_of
from ..rundir.run import Run, write_json
from ..rundir.store import Store
from ..targets.targets import target as find_target
from ..worker import container
from ..worker.digest import digest_bytes
from .resubmit import resubmit

_SHOWN = 8


@dataclass(frozen=True)
class Reproduction:
    """Whether a run made what another one made: names and files with equal digests, and those that differ.

    Attributes
    ----------
    differing : dict
        Name → (digest then, digest now); None where one has it not.
    """

    old: str
    new: str
    same: list[str] = field(default_factory=list)
    differing: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        if not self.same and not self.differing:
            return f"{self.new} and {self.old} made nothing that could be compared."
        lines = []
        if self.same:
            lines.append(f"✓ the same as in {self.old}: {', '.join(self.same)}")
        for name, (then, now) in self.differing.items():
            if now is None:
                lines.append(f"✗ {name} was not made this time")
            elif then is None:
                lines.append(f"✗ {name} was not made by {self.old}")
            else:
                lines.append(f"✗ {name} differs: {then[:15]}… then, {now[:15]}… now")
        if self.differing:
            lines.append(f"→ `%hpc diff {self.old} {self.new}` says what else differs.")
        return "\n".join(lines)


def rerun(
    run: Run,
    *,
    target: str | None = None,
    changes: Mapping[str, str] | None = None,
    workdir: str | None = None,
) -> Run:
    """Submit a run again, exactly or with other parameters, and return the new one.

    Parameters
    ----------
    changes : mapping, optional
        Parameter → Python expression, as ``{"lr": "0.01"}``: a constant of the cell or one of its inputs.
    workdir : str, optional
        Where it runs instead; files with relative paths are written there.

    Raises
    ------
    OptionError
        If the cell has no such parameter.
    HPCError
        If its inputs are gone or not as they were signed, or it can't be submitted.
    """
    run = run.whole or run
    record = run.record()
    options: dict[str, Any] = {"workdir": workdir} if workdir else {}
    options.update(_interpreter(record, target or record["target"]["name"]))

    def revise(new: Run, own: dict[str, Any]) -> None:
        own["brings"] = False  # the notebook's names stay as they are
        own["environment"] = {k: v for k, v in own.get("environment", {}).items() if k not in ("worker", "drift")}
        if workdir:
            _move(new, own["spec"]["workdir"])
        if changes:
            _set(new, own, dict(changes))

    return resubmit(run, target=target, options=options, revise=revise)


def _interpreter(record: Mapping[str, Any], where: str) -> dict[str, str]:
    """Return the interpreter to name, where the run had another than this process and didn't name it itself."""
    spec, executable = record["spec"], (record.get("environment") or {}).get("executable")
    is_chosen = any(spec.get(name) for name in ("python", "venv", "conda", "requirements", "image", "modules"))
    if is_chosen or not executable or executable == sys.executable or not os.access(executable, os.X_OK):
        return {}
    return {"python": executable} if find_target(where).kind.has_kernels_python else {}


def _move(run: Run, workdir: str) -> None:
    manifest = container.read_manifest(str(run.payload))
    manifest["cell"]["workdir"] = workdir
    write_json(run.payload / container.MANIFEST, manifest)


def _set(run: Run, record: dict[str, Any], changes: dict[str, str]) -> None:
    if record.get("kind") != "cell":
        raise OptionError(f"--set changes cells; {record['id']} is a {record.get('kind')}.")
    manifest = container.read_manifest(str(run.payload))
    cell = manifest["cell"]
    names = {str(n["name"]) for n in manifest["names"]}
    cell["code"] = changed(cell["code"], changes, names)
    try:
        cell["text"] = changed(cell["text"], changes, names)
    except OptionError:  # a cell with magics: its text is no Python
        cell["text"] = "".join(f"# set: {k} = {v}\n" for k, v in changes.items()) + cell["text"]
    write_json(run.payload / container.MANIFEST, manifest)
    text, first = cell["text"], record["code"].get("first_line")
    more = text.count("\n") - str(record["code"]["text"]).count("\n")
    if first is not None:
        record["code"]["first_line"] = max(0, first - more)
    record["code"] = {**record["code"], "text": text, "digest": digest_bytes(text.encode("utf-8", "surrogatepass"))}
    record["set"] = changes
    record["notebook"] = {**(record.get("notebook") or {}), "cell_id": None}  # no cell has this text
    record.pop("reuse_key", None)


def environment_changes(store: Store, record: Mapping[str, Any]) -> list[str]:
    """Return how the kernel's packages differ from those that the run's kernel had: a line each."""
    then = environment(store.root, (record.get("environment") or {}).get("digest"))
    now = snapshot().record
    if not then or then.get("executable") != now["executable"]:
        return []
    before, after = packages(then), packages(now)
    return [
        f"{name} {before.get(name) or 'was not there'} then, {after.get(name) or 'gone'} now"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def warnings(run: Run, workdir: str | None = None) -> list[str]:
    """Return what may make a rerun differ, or overwrite, before it runs, in a folder of its own or the same."""
    record = run.record()
    lines = environment_changes(store_of(run), record)
    if len(lines) > _SHOWN:
        lines = [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} more packages"]
    written = [f["path"] for f in record.get("files") or () if f.get("role") == "generated"]
    there = [path for path in written if os.path.exists(path)]
    if there and not workdir:
        lines.append(f"it writes {', '.join(there[:_SHOWN])} again (--workdir runs it elsewhere)")
    return lines


def reproduction(old: Run, new: Run) -> Reproduction:
    """Compare what two runs made, by digests."""
    then, now = _made(old), _made(new)
    same = [name for name in then if then[name] is not None and then[name] == now.get(name)]
    rest = [name for name in {**then, **now} if name not in same]
    return Reproduction(old.id, new.id, same, {name: (then.get(name), now.get(name)) for name in rest})


def _made(run: Run) -> dict[str, str | None]:
    record = run.record()
    found = {str(item.get("name")): item.get("digest") for item in outputs(run, record)}
    files = (f for f in record.get("files") or () if f.get("role") == "generated")
    return {**found, **{os.path.basename(str(f.get("path"))): f.get("digest") for f in files}}
