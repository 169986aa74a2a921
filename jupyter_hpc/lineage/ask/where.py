"""Conditions on runs as people write them: ``package numpy<2 and failed since yesterday`` → SQL."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ...model.exceptions import OptionError
from ...model.resources import did_you_mean
from ...model.states import JobState
from ..index.index import Index

Condition = tuple[str, list[Any]]
_STATES = {name: state.value for state in JobState for name in (state.value.lower().replace("_", " "), state.words)}
_AGO = re.compile(r"(\d+)\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)(?:\s+ago)?")
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_SINCE = re.compile(r"\b(since|before)\s+", re.IGNORECASE)


def condition(index: Index, text: str, *, now: float | None = None) -> Condition:
    """Return SQL on the table ``run``, and its values.

    Raises
    ------
    OptionError
        Naming what is not understood, and what would be.
    """
    parts, values = [], []
    for clause in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE):
        sql, own = _clause(index, clause.strip(), time.time() if now is None else now)
        parts.append(sql)
        values += own
    return " AND ".join(parts), values


def _clause(index: Index, clause: str, now: float) -> Condition:
    word, _, rest = clause.partition(" ")
    found = _FIELDS.get(word.lower())
    if found is not None:
        if not rest.strip():
            raise OptionError(f"{word} in --where needs something after it.", hint=_hint())
        return found(index, rest.strip())
    return _state(clause, now)


def _state(clause: str, now: float) -> Condition:
    """``failed``, ``since yesterday``, ``failed since 2026-11-01``: a state, a time, or both."""
    state, *times = _SINCE.split(clause)
    parts: list[str] = []
    values: list[Any] = []
    if state.strip():
        known = _STATES.get(_plain(state))
        if known is None:
            guess = did_you_mean(state.strip().lower(), [*_FIELDS, *_STATES])
            raise OptionError(f"--where doesn't understand {clause[:80]!r}.", hint=f"{guess} {_hint()}".lstrip())
        # what people call failed is all that didn't end well by itself
        states = [known] if known != JobState.FAILED.value else sorted(_BAD)
        parts.append(f"state IN ({', '.join('?' * len(states))})")
        values += states
    for which, when in zip(times[::2], times[1::2]):
        parts.append(f"created {'>=' if which.lower() == 'since' else '<'} ?")
        values.append(moment(when.strip(), now))
    return f"({' AND '.join(parts)})", values


def _plain(state: str) -> str:
    return state.strip().lower().replace("_", " ")


_BAD = {s.value for s in JobState if s.is_final and s not in (JobState.COMPLETED, JobState.CANCELLED)}


def moment(text: str, now: float) -> float:
    """Return a time as people write it: ``yesterday``, ``3 days ago``, ``2h``, ``2026-11-01``, with or without a time.

    Raises
    ------
    OptionError
        If it is none of these.
    """
    today = datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    if text.lower() in ("today", "yesterday"):
        return (today - timedelta(days=text.lower() == "yesterday")).timestamp()
    ago = _AGO.fullmatch(text.lower())
    if ago:
        return now - int(ago[1]) * _UNITS[ago[2][0]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise OptionError(
            f"{text[:60]!r} is no time.",
            hint="Write yesterday, 3 days ago, 2h, 2026-11-01 or 2026-11-01T14:30.",
        ) from None


# -- what a clause may begin with ----------------------------------------------------------------


def _package(index: Index, text: str) -> Condition:
    """``numpy``, ``numpy<2``, ``numpy==1.26.*``: compared as Python compares versions."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name
    from packaging.version import InvalidVersion, Version

    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        raise OptionError(f"{text[:80]!r} is no package with versions.", hint='Write "package numpy<2".') from None
    name = canonicalize_name(wanted.name)
    rows = index.query("SELECT env_digest, version FROM package WHERE name = ?", (name,))
    matching = []
    for digest, version in rows:
        try:
            if wanted.specifier.contains(Version(version), prereleases=True):
                matching.append(digest)
        except InvalidVersion:  # a version that no comparison knows
            if not wanted.specifier:
                matching.append(digest)
    return f"env_digest IN ({', '.join('?' * len(matching))})", matching


def _edges(role: str) -> Callable[[Index, str], Condition]:
    def clause(index: Index, text: str) -> Condition:
        sql = f"run_id IN (SELECT run_id FROM edge WHERE role = '{role}' AND "  # noqa: S608 one of two words
        if re.fullmatch(r"(b3|sha256):[0-9a-f]+", text):
            return sql + "digest >= ? AND digest < ?)", [text, text + "~"]
        if re.fullmatch(r"[0-9a-f]{8,64}", text):
            both = [f"{a}:{text}" for a in ("b3", "sha256")]
            return (
                sql + "(digest >= ? AND digest < ? OR digest >= ? AND digest < ?))",
                [both[0], both[0] + "~", both[1], both[1] + "~"],
            )
        return sql + "name = ?)", [text]

    return clause


def _file(index: Index, text: str) -> Condition:
    return "run_id IN (SELECT run_id FROM edge WHERE kind = 'file' AND (name = ? OR name GLOB ?))", [
        text,
        f"*/{text}",
    ]


def _commit(index: Index, text: str) -> Condition:
    return "run_id IN (SELECT run_id FROM code WHERE git_commit >= ? AND git_commit < ?)", [text, text + "~"]


def _tag(index: Index, text: str) -> Condition:
    key, _, value = text.partition(":")
    sql = f"SELECT subject FROM tag WHERE key = ?{' AND value = ?' if value else ''}"  # noqa: S608
    values = [key, value] if value else [key]
    made = "SELECT run_id FROM edge WHERE role = 'generated' AND digest IN"
    return f"(run_id IN ({sql}) OR run_id IN ({made} ({sql})))", values * 2


_METRIC = re.compile(r"(?:(min|max)\s+)?(.+?)\s*(?:(<=|>=|==|=|<|>)\s*(\S+))?")


def _metric(index: Index, text: str) -> Condition:
    """``loss``, ``loss<0.3``, ``max acc>=0.9``: its last value, its least or its largest."""
    found = _METRIC.fullmatch(text)
    which, name, sign, wanted = map(str, found.groups("")) if found else ("", text, "", "")
    sql = "run_id IN (SELECT run_id FROM metric WHERE name = ?"
    if not sign:
        return f"{sql})", [name]
    try:
        value = float(wanted)
    except ValueError:
        raise OptionError(
            f"{wanted[:40]!r} is no number.", hint='Write "metric loss<0.3" or "metric max acc>0.9".'
        ) from None
    column = {"": "last", "min": "low", "max": "high"}[which]
    return f"{sql} AND {column} {sign} ?)", [name, value]


def _column(name: str) -> Callable[[Index, str], Condition]:
    return lambda index, text: (f"{name} = ?", [text])


def _text(index: Index, text: str) -> Condition:
    return "label LIKE ? ESCAPE '\\'", [f"%{text.replace(chr(92), chr(92) * 2).replace('%', chr(92) + '%')}%"]


_FIELDS: dict[str, Callable[[Index, str], Condition]] = {
    "package": _package,
    "input": _edges("used"),
    "output": _edges("generated"),
    "file": _file,
    "commit": _commit,
    "tag": _tag,
    "metric": _metric,
    "state": lambda index, text: ("state = ?", [_STATES.get(_plain(text), text.upper())]),
    "target": _column("target"),
    "backend": _column("backend"),
    "name": _column("name"),
    "user": _column("agent"),
    "node": _column("node"),
    "notebook": _column("notebook"),
    "error": _column("error"),
    "code": _text,
}
WORDS = (*_FIELDS, *_STATES, "since", "before")


def _hint() -> str:
    return (
        f"It takes {', '.join(_FIELDS)} with something after it, a state such as failed, since and before; "
        'joined with and: "package numpy<2 and failed since yesterday".'
    )
