"""Moments as people say them."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from jupyter_hpc.views.time_words import when_words

NOW = datetime(2026, 11, 12, 14, 30).timestamp()  # a Thursday, in the local zone


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 12, 14, 5), "today 14:05"),
        (datetime(2026, 11, 12, 0, 0), "today 00:00"),
        (datetime(2026, 11, 11, 23, 59), "Wed 23:59"),
        (datetime(2026, 11, 6, 9, 0), "Fri 09:00"),
        (datetime(2026, 11, 5, 9, 0), "5 Nov"),
        (datetime(2025, 11, 12, 9, 0), "12 Nov 2025"),
        (datetime(2026, 11, 13, 9, 0), "13 Nov"),
    ],
)
def test_the_fewest_words_that_tell_it(moment: datetime, words: str) -> None:
    assert when_words(moment.timestamp(), NOW) == words


def test_it_is_the_local_zone_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert when_words(1762951800.0, 1762951800.0 + 60) == "today 01:50"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("moment", [None, 0, 1e300, float("nan")])
def test_no_moment_is_no_words(moment: float | None) -> None:
    assert when_words(moment, NOW) == ""
