"""The line of a cell that failed, found in its traceback."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_hpc.views.code_lines import failed_line, first_line


def record(label: str, *frames: str, text: str = "a\nb\nc\nd") -> dict[str, Any]:
    lines = ["Traceback (most recent call last):", *(f"  {frame}" for frame in frames), "ValueError: no"]
    return {"code": {"text": text, "label": label}, "exception": {"type": "ValueError", "traceback": "\n".join(lines)}}


@pytest.mark.parametrize(
    ("label", "frames", "line"),
    [
        ("<cell>", ['File "<cell>", line 3, in <module>'], 3),
        ("<cell>", ['File "<cell>", line 4, in <module>', 'File "<cell>", line 2, in f'], 2),
        ("<cell>", ['File "<cell>", line 4, in <module>', 'File "/lib/json.py", line 1, in f'], 4),
        ("Cell In[7]", ['File "Cell In[7]", line 5, in <module>'], 5),  # the magic's line is the first
        ("Cell In[7]", ['File "Cell In[7]", line 1, in <module>'], None),
        ("Cell In[7]", ['File "Cell In[8]", line 3, in f'], None),
        ("<cell>", ['File "<cell>", line 99, in <module>'], None),
        ("<cell>", [], None),
    ],
)
def test_the_last_frame_in_the_cell_itself(label: str, frames: list[str], line: int | None) -> None:
    assert failed_line(record(label, *frames)) == line


def test_a_record_without_an_exception() -> None:
    assert failed_line({"code": {"text": "a", "label": "<cell>"}, "exception": None}) is None
    assert first_line({"code": {"text": "a"}}) == 1
    assert first_line({"code": {"text": "a", "label": "Cell In[1]"}}) == 2
