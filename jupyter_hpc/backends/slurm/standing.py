"""How a user stands: sshare's fair share and sprio's priorities, in sentences; nothing where a site keeps neither."""

from __future__ import annotations

import math

SHARE_FIELDS = ("Account", "User", "NormShares", "EffectvUsage", "FairShare")
_PRIORITY = (  # of sprio's format, and what adds to a job's priority
    ("%i", "job"),
    ("%Y", "priority"),
    ("%A", "age"),
    ("%B", "association"),
    ("%F", "fair share"),
    ("%J", "size"),
    ("%P", "partition"),
    ("%Q", "QOS"),
    ("%S", "site"),
)
MOST_JOBS = 5


def priorities_format() -> str:
    """Return the ``-o`` argument of sprio."""
    return "|".join(letter for letter, _ in _PRIORITY)


def share_sentences(text: str) -> list[str]:
    """Return how each account of the user stands, from ``sshare -h -P -o``: it lists them with those above."""
    rows = [[part.strip() for part in line.split("|")] for line in text.splitlines()]
    rows = [row for row in rows if len(row) >= len(SHARE_FIELDS)]
    accounts = {row[0]: row for row in rows if not row[1]}
    found = []
    for account, _, share, use, factor in (row[: len(SHARE_FIELDS)] for row in rows if row[1]):
        whole = accounts.get(account)
        fair = _fraction(factor)
        if whole is None or fair is None:
            continue
        used, promised = _fraction(whole[3]), _fraction(whole[2])
        own, own_share = _fraction(use), _fraction(share)
        if used is None or promised is None:
            continue
        words = f"Account {account}: used {_percent(used)} of what was used lately, its share is {_percent(promised)}"
        if own is not None and own_share is not None:
            words += f"; of that you used {_percent(own)}, yours is {_percent(own_share)}"
        found.append(f"{words}. Fair-share factor {fair:.2f} of 1.")
    return found


def priority_sentences(text: str) -> list[str]:
    """Return what the priority of the jobs that wait is made of, from ``sprio -h -o``; the first of the line first."""
    jobs: dict[str, tuple[int, str]] = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.split("|")]
        if len(parts) < len(_PRIORITY) or not parts[1].isdecimal():
            continue
        addends = [
            (name, int(part)) for (_, name), part in zip(_PRIORITY[2:], parts[2:], strict=False) if part.isdecimal()
        ]
        named = [f"{name} {value}" for name, value in sorted(addends, key=lambda each: -each[1]) if value]
        if parts[0] not in jobs:  # a line for each of its partitions
            jobs[parts[0]] = (int(parts[1]), " + ".join(named))
    first = sorted(jobs.items(), key=lambda each: -each[1][0])
    found = [f"Priority of job {job}: {total}" + (f" = {made}." if made else ".") for job, (total, made) in first]
    rest = len(found) - MOST_JOBS
    return found[:MOST_JOBS] + ([f"{rest} more of your jobs wait with less."] if rest > 0 else [])


def _fraction(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.0f} %" if fraction >= 0.01 or not fraction else "less than 1 %"
