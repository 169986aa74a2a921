"""Moments as people say them, in the local zone: ``today 14:05``, ``Mon 14:05``, ``12 Nov``."""

from __future__ import annotations

import time
from datetime import date


def when_words(moment: float | None, now: float) -> str:
    """Return a moment in the fewest words that tell it; empty if there is none.

    Parameters
    ----------
    moment, now : float
        Seconds since the epoch.
    """
    if not moment:
        return ""
    try:
        there, here = time.localtime(moment), time.localtime(now)
    except (OverflowError, ValueError, OSError):
        return ""
    days = (date(*here[:3]) - date(*there[:3])).days
    if days == 0:
        return time.strftime("today %H:%M", there)
    if 0 < days < 7:
        return time.strftime("%a %H:%M", there)
    form = "%-d %b" if there.tm_year == here.tm_year else "%-d %b %Y"
    return time.strftime(form, there)
