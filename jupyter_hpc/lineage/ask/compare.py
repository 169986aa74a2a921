"""What differs between two runs: code, parameters, packages, inputs, outputs, resources, outcome."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...model.printable import printable
from ...model.resources import format_time
from ...model.states import state_words
from ...rundir.run import Run
from ...rundir.store import Store
from ..index.activity import CODE_TYPES
from .details import Details, commit, details

PARTS = ("git", "parameters", "packages", "inputs", "outputs", "resources", "metrics", "outcome")
Pairs = dict[str, tuple[Any, Any]]  # name → what each has, None where one has nothing


@dataclass(frozen=True)
class Difference:
    """What differs between two runs; every part is empty where they agree.

    Attributes
    ----------
    code : list of str
        Lines of a unified diff, also of the functions that both reach.
    """

    first: str
    second: str
    code: list[str] = field(default_factory=list)
    git: Pairs = field(default_factory=dict)
    parameters: Pairs = field(default_factory=dict)
    packages: Pairs = field(default_factory=dict)
    inputs: Pairs = field(default_factory=dict)
    outputs: Pairs = field(default_factory=dict)
    resources: Pairs = field(default_factory=dict)
    metrics: Pairs = field(default_factory=dict)
    outcome: Pairs = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(v for k, v in vars(self).items() if k not in ("first", "second"))

    @property
    def text(self) -> str:
        lines = [f"{self.first} → {self.second}"]
        if self.code:
            lines += ["code:", *(f"  {line}" for line in self.code)]
        for part in PARTS:
            lines += _rows(part, getattr(self, part))
        return printable("\n".join(lines)) if self else f"{self.first} and {self.second} do not differ."

    def __repr__(self) -> str:
        return self.text

    def to_json(self) -> dict[str, Any]:
        """Return the parts in order, as people read them: of each name what the first has and what the second."""
        parts = [{"part": part, "rows": _named(getattr(self, part))} for part in PARTS if getattr(self, part)]
        return {"first": self.first, "second": self.second, "code": [*map(printable, self.code)], "parts": parts}


def _named(pairs: Pairs) -> list[dict[str, str]]:
    return [
        {key: printable(text) for key, text in (("name", name), ("first", _shown(a)), ("second", _shown(b)))}
        for name, (a, b) in pairs.items()
    ]


def _rows(title: str, pairs: Pairs) -> Iterator[str]:
    if pairs:
        yield f"{title}:"
        width = max(map(len, pairs))
        for name, (a, b) in pairs.items():
            yield f"  {name.ljust(width)}  {_shown(a)} → {_shown(b)}"


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    text = str(value)
    return text[:15] + "…" if text.startswith(("b3:", "sha256:")) else text[:120]


def difference(store: Store, first: Run, second: Run) -> Difference:
    """Return what differs between two runs.

    Raises
    ------
    JobNotFound
        If one has no readable record.
    """
    records = first.record(), second.record()
    a, b = details(store, first) or {}, details(store, second) or {}
    return Difference(
        first.id,
        second.id,
        code=list(_code(a, b)),
        git=_pairs(_git(a), _git(b)),
        parameters=_pairs(a["parameters"], b["parameters"]),
        packages=_pairs(_packages(a), _packages(b)),
        inputs=_pairs(_digests(a["inputs"]) | _files(a, "used"), _digests(b["inputs"]) | _files(b, "used")),
        outputs=_pairs(
            _digests(a["outputs"]) | _files(a, "generated"), _digests(b["outputs"]) | _files(b, "generated")
        ),
        resources=_pairs(_resources(a), _resources(b)),
        metrics=_pairs(_metrics(records[0]), _metrics(records[1])),
        outcome=_pairs(_outcome(a), _outcome(b)),
    )


def _pairs(a: Mapping[str, Any], b: Mapping[str, Any]) -> Pairs:
    names = [*a, *(name for name in b if name not in a)]
    return {name: (a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)}


def _code(a: Details, b: Details) -> Iterator[str]:
    yield from _unified(a["code"]["text"], b["code"]["text"], "cell")
    ours, theirs = a["code"]["functions"], b["code"]["functions"]
    for name in sorted(ours.keys() | theirs.keys()):
        before, after = (str(f.get(name, {}).get("source") or "") for f in (ours, theirs))
        yield from _unified(before, after, name)
    for one, other in zip(a["git"], b["git"]):
        if one["path"] == other["path"]:
            yield from _unified(one["diff"], other["diff"], "uncommitted changes")


def _unified(a: str, b: str, name: str) -> list[str]:
    lines: Sequence[str] = list(difflib.unified_diff(a.splitlines(), b.splitlines(), "", "", lineterm="", n=2))
    return [f"{name}:", *lines[2:]] if lines else []


def _git(found: Details) -> dict[str, str]:
    return {", ".join(r["of"]) or str(r["path"]): commit(r) for r in found["git"]}


def _packages(found: Details) -> dict[str, Any]:
    environment = found["environment"]
    return {"python": environment["python"], **environment["packages"]}


def _digests(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Code is compared as text: no pickle of it is the same twice."""
    data = (i for i in items if i.get("type") not in CODE_TYPES)
    return {str(i.get("name")): i.get("digest") for i in data}


def _files(found: Details, role: str) -> dict[str, Any]:
    return {str(f.get("path")): f.get("digest") for f in found["files"] if f.get("role") == role}


def _resources(found: Details) -> dict[str, Any]:
    run = found["execution"]
    image = {f"image {key}": value for key, value in (run["image"] or {}).items() if value}
    return {"target": run["target"], **image, **run["resources"]}


def _metrics(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: total["last"] for name, total in (record.get("metrics") or record.get("task_metrics") or {}).items()}


def _outcome(found: Details) -> dict[str, Any]:
    run, seconds = found["execution"], found["execution"]["seconds"]
    took = format_time(seconds) if seconds is not None else None
    return {
        "state": state_words(found["state"]) or None,
        **found["outcome"],
        "node": run["node"],
        "gpus": run["gpus"] or None,
        "took": took,
    }
