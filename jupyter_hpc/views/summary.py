"""The lines that panel and card have in common, and what an ended job brought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..explain.use import Use, measured, used
from ..model.resources import Resources, format_size
from ..worker.versions import MENTIONED, words
from .parts_table import array_facts
from .picture import Picture
from .style import LIST, QUIET, escaped, folded, plain
from .waiting import again_words

MOST_NAMES = 100


def sent_html(record: Mapping[str, Any]) -> str:
    """Return what travelled to the node, folded; empty if nothing did."""
    entries = [e for e in record.get("inputs") or [] if not str(e.get("name")).startswith("<")]
    if not entries:
        return ""
    total = format_size(sum(int(e.get("nbytes") or 0) for e in entries))
    names = f"{len(entries)} name{'s' if len(entries) != 1 else ''}"
    rows = [
        f"{plain(e['name'], 80)}  {plain(e.get('type') or '', 80).removeprefix('builtins.')}"
        f"  {format_size(int(e.get('nbytes') or 0))}"
        for e in entries[:MOST_NAMES]
    ]
    rows += [f"and {len(entries) - MOST_NAMES} more"] if len(entries) > MOST_NAMES else []
    listed = "".join(f"<li>{escaped(row)}</li>" for row in rows)
    return folded(f"sent {names}, {total}", f'<ul style="{LIST};{QUIET}">{listed}</ul>')


def stale_lines(record: Mapping[str, Any]) -> list[str]:
    """Return what is to be known of what was sent: what may be missing, and what was stale; plain, a line each."""
    return [*(record.get("names") or ()), *(f"⚠ {line}" for line in record.get("stale") or ())]


def asked_words(spec: Mapping[str, Any]) -> str:
    """Return what a job was asked to be, for people: ``"2 cpus, 1 GiB, partition gpu"``."""
    parts = [Resources.from_json(spec.get("resources") or {}).describe()]
    for key, value in spec.items():
        if key in ("resources", "prologue") or value in (None, False, [], {}, ""):
            continue
        name = key.replace("_", " ")
        listed = ", ".join(map(str, value)) if isinstance(value, (list, tuple, dict)) else str(value)
        parts.append(name if value is True else f"{name} {listed}")
    return ", ".join(parts)


def uses(picture: Picture) -> list[Use]:
    """Return what an ended job used of what it asked for."""
    status = picture.status
    return used(picture.record, status, measured(picture.reader)) if status.state.is_final else []


def facts(picture: Picture) -> list[str]:
    """Return what an ended job brought, plain, a line each."""
    record, run = picture.record, picture.run
    verb = "received" if record.get("brings", True) else "made"
    if picture.parts:
        return array_facts(picture.parts, verb)
    manifest = run.manifest() or {}
    drift = record.get("environment", {}).get("drift") or []
    lines = [words(row) for row in drift if row["node"] is not None or row["need"] == MENTIONED]
    earlier = record.get("attempts", [])[:-1]
    if record.get("replaces"):
        lines.append(again_words(record))
    if earlier:
        lines.append(f"attempt {len(earlier) + 1}; before: {', '.join(str(a.get('reason')) for a in earlier)}")
    unloaded = record.get("unloaded") or {}
    made = [n for n in manifest.get("names", []) if not n["name"].startswith("<") and n["name"] not in unloaded]
    names = [_sized(n) for n in made]
    names += sorted(manifest.get("modules", {}))
    if names:
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        lines.append(f"{verb} {shown}")
    if manifest.get("changed"):
        lines.append(f"changed here too: {', '.join(manifest['changed'])}")
    lines += record.get("changes") or []
    if manifest.get("deleted"):
        lines.append(f"deleted: {', '.join(manifest['deleted'])}")
    lines += stale_lines(record)
    lines += (manifest.get("settings") or {}).get("notes") or []
    lines += [
        f"{name} did not come back: {why}" for name, why in {**(manifest.get("unsent") or {}), **unloaded}.items()
    ]
    if manifest.get("missing"):
        lines.append(f"not assigned by the cell: {', '.join(manifest['missing'])}")
    if manifest.get("mutated"):
        lines.append(left_words(manifest["mutated"], bool(run.whole)))
    return [plain(line, 2000) for line in lines]


def _sized(record: dict[str, Any]) -> str:
    return f"{record['name']} ({format_size(record['nbytes'])})" if record["nbytes"] >= 1 << 20 else str(record["name"])


def left_words(names: list[str], of_tasks: bool, quote: str = "") -> str:
    """Say what changed there and not here, and what would bring it."""
    listed = ",".join(names)
    if of_tasks:
        return f"{listed} changed in the tasks and not here: each task of an array changes a copy of its own"
    return f"{listed} changed on the node and not here; {quote}-o {listed}{quote} brings it back"
