"""What differs between two runs, as the table of jobs shows it."""

from __future__ import annotations

from jupyter_hpc.lineage.ask.compare import Difference


def test_parts_that_agree_are_not_there_and_the_rest_is_text() -> None:
    found = Difference(
        "a", "b", code=["cell:", "-x\x1b[2J"], parameters={"lr": ("0.1", None)}, metrics={"loss": (1.0, 2)}
    )
    assert found.to_json() == {
        "first": "a",
        "second": "b",
        "code": ["cell:", "-x\\x1b[2J"],
        "parts": [
            {"part": "parameters", "rows": [{"name": "lr", "first": "0.1", "second": "–"}]},
            {"part": "metrics", "rows": [{"name": "loss", "first": "1.0", "second": "2"}]},
        ],
    }


def test_runs_that_agree_have_nothing() -> None:
    assert Difference("a", "b").to_json() == {"first": "a", "second": "b", "code": [], "parts": []}
