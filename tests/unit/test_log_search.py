"""The search of a log, which may change while it is read."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.server import logs

SIZE = 64 << 20
SEARCHES = """
from pathlib import Path
from jupyter_hpc.server import logs
for _ in range(40):
    logs.search(Path(r"{path}"), "nowhere", 0)
"""


def test_a_log_that_is_emptied_while_it_is_searched(tmp_path: Path) -> None:
    """A requeue empties scheduler.log; of a mapped file the missing pages would end the server by SIGBUS."""
    path = tmp_path / "scheduler.log"
    path.touch()
    with subprocess.Popen([sys.executable, "-c", SEARCHES.format(path=path)]) as server:
        while server.poll() is None:
            os.truncate(path, SIZE)
            os.truncate(path, 0)
    assert server.returncode == 0


def expected(data: bytes, needle: bytes, start: int) -> list[dict[str, Any]]:
    """Find by the whole text, as long as it is short."""
    found = []
    at = data.find(needle, start)
    while at >= 0:
        begin, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
        end = len(data) if end < 0 else end
        line = data[max(begin, at - logs.CONTEXT) : min(end, at + logs.CONTEXT)]
        found.append({"offset": at, "line_offset": begin, "line": line.decode("utf-8", "replace")})
        at = data.find(needle, max(end, at + 1))
    return found


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64])
def test_pieces_find_what_the_whole_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(logs, "PIECE", piece)
    path, chance = tmp_path / "log", random.Random(piece)
    for _ in range(100):
        data = bytes(chance.choices(b"ab\xc3\xa4\n", weights=[6, 3, 1, 1, 2], k=chance.randrange(120)))
        path.write_bytes(data)
        needle = "".join(chance.choices("ab\n", k=chance.randrange(1, 4)))
        start = chance.randrange(-2, len(data) + 3)
        assert logs.search(path, needle, start)["matches"] == expected(data, needle.encode(), max(0, start))


def test_a_search_goes_on_where_the_first_matches_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_MATCHES", 2)
    path = tmp_path / "log"
    path.write_text("one\ntwo one one\nthree\none\n")
    first = logs.search(path, "one", 0)
    assert [match["line"] for match in first["matches"]] == ["one", "two one one"]
    rest = logs.search(path, "one", first["next"])
    assert [match["line_offset"] for match in rest["matches"]] == [22]
    assert rest["next"] is None
