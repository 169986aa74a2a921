"""A Process Run Crate: a folder or zip with a run, what led to it, its code, its environment, and data up to a size."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ...model.encodable import encodable
from ...model.exceptions import HPCError, OptionError
from ...model.states import state_words
from ...rundir.store import Store, disk_use
from ...worker.digest import digest_file
from .collect import Exported, missing, requirements

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
BASE = "1.1"  # the RO-Crate that this profile is written against
MOST_BYTES = 100 << 20  # of one run's results, and of one file
LICENSE = "https://spdx.org/licenses/NOASSERTION"
_PYTHON = "https://www.python.org/"


def write(runs: Sequence[Exported], store: Store, to: str | None) -> str:
    """Write the crate and say what is in it.

    Raises
    ------
    HPCError
        If rocrate isn't installed, there is something in the way, or the disk doesn't take it.
    """
    if not to:
        raise OptionError("A crate needs a place.", hint="--to FOLDER or --to FILE.zip")
    target = Path(to).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise HPCError(f"{target} is there already.", hint="Give a new folder or file.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix="jupyter_hpc-") as scratch,
            tempfile.TemporaryDirectory(prefix=".", dir=target.parent) as beside,
        ):
            whole = Path(beside, "crate")
            _crate(runs, Path(scratch)).write(whole)
            os.replace(shutil.make_archive(str(whole), "zip", whole) if target.suffix == ".zip" else whole, target)
    except OSError as error:
        raise HPCError(
            f"{target} can't be written: {error.strerror or error}.", hint="Nothing was left there."
        ) from None
    return f"Wrote {target}: {len(runs)} runs, as a Process Run Crate."


def _crate(runs: Sequence[Exported], scratch: Path) -> Any:
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise missing("rocrate", "rocrate") from None
    from rocrate.model import ContextEntity

    crate = ROCrate(version=BASE)
    first = runs[0]
    title = first.details["name"] or first.run.id
    crate.name = f"How {title} came to be"
    crate.description = f"The run {first.run.id} of a notebook cell, and the {len(runs) - 1} runs that led to it."
    crate.license = LICENSE
    profile = ContextEntity(
        crate, PROFILE, properties={"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    )
    crate.add(profile)
    crate.root_dataset["conformsTo"] = profile
    made: dict[str, Any] = {}
    actions = [_Writer(crate, found, scratch / found.run.id, made).action() for found in reversed(runs)]
    crate.root_dataset["mentions"] = actions
    return crate


class _Writer:
    """Puts one run into the crate; values and files are entities that runs share."""

    def __init__(self, crate: Any, found: Exported, scratch: Path, made: dict[str, Any]) -> None:
        scratch.mkdir()
        self.crate, self.found, self.scratch, self.made = crate, found, scratch, made
        self.folder = f"runs/{found.run.id}"

    def action(self) -> Any:
        known, record = self.found.details, self.found.record
        run, outcome = known["execution"], "Completed" if known["state"] == "COMPLETED" else "Failed"
        properties = {
            "name": f"{known['name'] or known['code']['label']} on {run['target']}",
            "description": f"Job {run['native_id']} on {run['node'] or run['host']}, {state_words(known['state'])}",
            "startTime": _time(record.get("started_at") or record["created"]),
            "agent": self._agent(),
            "actionStatus": f"http://schema.org/{outcome}ActionStatus",
        }
        if record.get("ended_at"):
            properties["endTime"] = _time(record["ended_at"])
        if known["outcome"]["error"]:
            properties["error"] = known["outcome"]["message"] or known["outcome"]["error"]
        return self.crate.add_action(
            self._instrument(),
            identifier=f"#run-{self.found.run.id}",
            object=[*self._values(known["inputs"]), *self._files("used")],
            result=[*self._values(known["outputs"]), *self._files("generated"), *self._results()],
            properties=properties,
        )

    def _agent(self) -> Any:
        from rocrate.model import Person

        user = self.found.details["user"] or "unknown"
        return self._once(f"#user-{user}", lambda ident: Person(self.crate, ident, properties={"name": user}))

    def _instrument(self) -> Any:
        known = self.found.details
        functions = [f["source"] for f in known["code"]["functions"].values() if f.get("source")]
        cell = self._text("cell.py", "\n\n".join([*functions, known["code"]["text"]]))
        entity = self.crate.add_file(
            cell,
            f"{self.folder}/cell.py",
            properties={
                "@type": ["File", "SoftwareSourceCode"],
                "name": f"{known['code']['label'] or 'code'}, with the functions that it reaches",
                "encodingFormat": "text/x-python",
                "programmingLanguage": {"@id": _PYTHON},
                "softwareRequirements": [self._environment()],
            },
        )
        self._once(_PYTHON, self._python)
        parts = list(self._code_around())
        if parts:
            entity["hasPart"] = parts
        return entity

    def _python(self, ident: str) -> Any:
        from rocrate.model import ContextEntity

        version = self.found.details["environment"]["python"] or ""
        properties = {"@type": "ComputerLanguage", "name": "Python", "url": _PYTHON, "version": version}
        return ContextEntity(self.crate, ident, properties=properties)

    def _environment(self) -> Any:
        digest = self.found.details["environment"]["digest"] or self.found.run.id
        name = f"environments/{digest.replace(':', '-')[:24]}.txt"

        def make(ident: str) -> Any:
            path = self._text("requirements.txt", requirements(self.found))
            words = f"packages of Python {self.found.details['environment']['python']}"
            return self.crate.add_file(path, ident, properties={"name": words, "encodingFormat": "text/plain"})

        return self._once(name, make, add=False)

    def _code_around(self) -> Iterator[Any]:
        """Yield local modules as they were, and what wasn't committed."""
        manifest = self.found.run.sent()
        for folder in (manifest.get("cell") or {}).get("module_paths") or ():
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file() and path.stat().st_size <= MOST_BYTES and "__pycache__" not in path.parts:
                    name = f"{self.folder}/modules/{path.relative_to(folder).as_posix()}"
                    yield self.crate.add_file(str(path), name, properties={"name": path.name})
        for number, found in enumerate(self.found.details["git"]):
            if found["diff"]:
                diff = self._text(f"{number}.diff", found["diff"])
                words = f"uncommitted changes of {', '.join(found['of'])} at commit {found['commit']}"
                kind = {"name": words, "encodingFormat": "text/x-diff"}
                yield self.crate.add_file(diff, f"{self.folder}/uncommitted-{number}.diff", properties=kind)

    def _values(self, items: list[dict[str, Any]]) -> Iterator[Any]:
        """A value that isn't a file is a property: its name, with its digest."""
        from rocrate.model import ContextEntity

        for item in items:
            if not item.get("digest") or item.get("type") == "builtins.module":
                continue
            name, digest = str(item["name"]), str(item["digest"])

            def make(ident: str, item: dict[str, Any] = item, name: str = name, digest: str = digest) -> Any:
                properties = {
                    "@type": "PropertyValue",
                    "name": name,
                    "value": digest,
                    "additionalType": str(item.get("type") or ""),
                    "description": f"{item.get('nbytes')} bytes, pickled",
                }
                return ContextEntity(self.crate, ident, properties=properties)

            yield self._once(f"#value-{name}-{digest.replace(':', '-')[:40]}", make)

    def _files(self, role: str) -> Iterator[Any]:
        from rocrate.model import ContextEntity

        for item in self.found.details["files"]:
            if item.get("role") != role:
                continue
            path, digest = str(item.get("path")), str(item.get("digest"))
            if _is_as_recorded(path, item):
                ident = f"files/{digest.replace(':', '-')[:24]}/{os.path.basename(path)}"
                properties = {
                    "name": os.path.basename(path),
                    "contentSize": str(item["nbytes"]),
                    "identifier": digest,
                }
                yield self._once(
                    ident, lambda i, p=path, q=properties: self.crate.add_file(p, i, properties=q), add=False
                )
            else:
                properties = {"@type": "PropertyValue", "name": path, "value": digest}
                ident = f"#file-{digest.replace(':', '-')[:40]}"
                yield self._once(ident, lambda i, q=properties: ContextEntity(self.crate, i, properties=q))

    def _results(self) -> Iterator[Any]:
        """Yield the files of the result's container; a folder would have no entry of its own in a zip."""
        result = self.found.run.result
        if result.is_dir() and disk_use(result) <= MOST_BYTES:
            for path in sorted(p for p in result.rglob("*") if p.is_file()):
                name = path.relative_to(result).as_posix()
                words = f"{name} of the values as they came back"
                yield self.crate.add_file(str(path), f"{self.folder}/result/{name}", properties={"name": words})

    def _once(self, ident: str, make: Any, *, add: bool = True) -> Any:
        if ident not in self.made:
            entity = make(ident)
            self.made[ident] = self.crate.add(entity) if add else entity
        return self.made[ident]

    def _text(self, name: str, text: str) -> str:
        path = self.scratch / name
        path.write_text(encodable(text), encoding="utf-8")
        return str(path)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def _is_as_recorded(path: str, item: dict[str, Any]) -> bool:
    """Whether a file is small enough, and still what the run read or wrote."""
    digest, size = str(item.get("digest")), item.get("nbytes")
    try:
        if size is None or size > MOST_BYTES or not os.path.isfile(path) or os.path.getsize(path) != size:
            return False
        return digest_file(path, digest.partition(":")[0]) == digest
    except (OSError, LookupError):
        return False
