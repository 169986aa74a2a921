"""What a whole run prints last: each test that failed, with its reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.side_by_side import TOLD, WIDE, End, Failure, Reader, told

FAILS = """
import pytest
CALLS = "\\nCall log:\\n" + "\\n".join(f"  - waiting {n}" for n in range(40))
@pytest.fixture
def cluster(): raise RuntimeError("no cluster")
def test_needs(cluster): pass
def test_page(): raise AssertionError("Locator expected to be visible\\nActual value: None" + CALLS)
def test_passes(): pass
@pytest.mark.parametrize("text", ["a b", "x - y"])
def test_words(text): assert text == "z"
"""


def read(folder: Path, *arguments: str) -> tuple[int, Reader]:
    """Run a pytest as a group is run, and read what it prints."""
    command = [sys.executable, "-m", "pytest", "-raR", "-p", "pytest_rerunfailures", f"--rootdir={folder}", *arguments]
    environment = {**os.environ, "CI": "true", "PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200)
    reader = Reader()
    for line in done.stdout.splitlines():
        reader.read(line)
    return done.returncode, reader


def test_each_failed_test_is_named_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "test_fails.py").write_text(FAILS)
    (tmp_path / "test_reads.py").write_text("import nonesuch\n")
    status, reader = read(tmp_path, "--reruns=1", "--continue-on-collection-errors")
    lines = told([End("here", status, "5 failed", reader.failures(status))])
    assert lines[0] == "here: FAILED with status 1: 5 failed"
    assert "here: ERROR test_fails.py::test_needs - RuntimeError: no cluster" in lines
    at = lines.index("here: FAILED test_fails.py::test_page - AssertionError: Locator expected to be visible")
    assert lines[at + 1] == "here:     Actual value: None"
    assert "here: FAILED test_fails.py::test_words[a b] - AssertionError: assert 'a b' == 'z'" in lines
    assert "here: FAILED test_fails.py::test_words[x - y] - AssertionError: assert 'x - y' == 'z'" in lines
    [reads] = [n for n, line in enumerate(lines) if "test_reads.py" in line]
    assert "No module named 'nonesuch'" in " ".join(lines[reads : reads + 2])
    assert not [line for line in lines if "waiting" in line or "test_passes" in line]
    kinds = [line.split()[1] for line in lines[1:] if line.split()[1] in ("FAILED", "ERROR", "RERUN")]
    assert "RERUN" in kinds and kinds == sorted(kinds, key=lambda kind: kind != "RERUN")


def test_many_that_failed_are_each_named_in_the_end_of_a_log(tmp_path: Path) -> None:
    many = f"import pytest\n@pytest.mark.parametrize('n', range(45))\ndef test_it(n): assert [n] * {WIDE} == [3]\n"
    (tmp_path / "test_many.py").write_text(many)
    status, reader = read(tmp_path)
    lines = told([End("here", status, "44 failed", reader.failures(status)), End("site", 0, "3 passed", [])])
    assert len(lines) <= TOLD and max(map(len, lines)) <= WIDE
    assert all(any(f"test_it[{n}] - " in line for line in lines) for n in range(45))


def test_what_fails_for_one_reason_everywhere_hides_nothing_else() -> None:
    gone = [Failure("ERROR", f"tests/a.py::test_{n}", ["RuntimeError: no cluster", "more"]) for n in range(500)]
    other = Failure("FAILED", "tests/b.py::test_it", ["assert 1 == 2"])
    lines = told([End("site", 1, "1 failed", [other]), End("here", 1, "500 errors", gone)])
    assert lines[2:4] == [
        "site: FAILED tests/b.py::test_it - assert 1 == 2",
        "here: ERROR tests/a.py::test_0 - RuntimeError: no cluster",
    ]
    assert lines[4].startswith("here:     and 499 more: test_1, test_2, ") and len(lines) == 5


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["nonesuch.py"]])
def test_a_pytest_that_says_of_no_test_says_why(tmp_path: Path, arguments: list[str]) -> None:
    status, reader = read(tmp_path, *arguments)
    lines = told([End("here", status, "", reader.failures(status))])
    assert status and lines[1].startswith("here: ERROR pytest itself")
