"""Who looks is told from the request alone, and each row of the page on front ends has its tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.display.front_end import is_page

ROOT = Path(__file__).parents[2]
CELL = "11ad5a4c-32a6-4d14-9b8a-8f3e4f2a8b11"
VSCODE = "vscode-notebook-cell:/home/ann/fits.ipynb#W0sZmlsZQ%3D%3D"

# as each of them sends a cell: metadata, whose name the header has, whether it can ask for input
REQUESTS: dict[str, tuple[dict[str, Any], str, bool, bool]] = {
    "JupyterLab": ({"trusted": True, "deletedCells": [], "recordTiming": False, "cellId": CELL}, "", True, True),
    "Notebook 7": ({"deletedCells": [], "recordTiming": False, "cellId": CELL}, "", True, True),
    "a console of JupyterLab": ({"cellId": CELL}, "", True, True),
    "VS Code": ({"cellId": VSCODE, "tags": ["parameters"]}, "ann", True, True),
    "VS Code's interactive window": ({"cellId": "vscode-interactive-input:/1#W1"}, "ann", True, True),
    "a page of JupyterLab's parts": ({}, "", True, True),
    "nbclient": ({}, "ann", False, True),
    "jupyter console": ({}, "ann", True, False),
    "qtconsole": ({}, "ann", True, False),
    "jupyter run": ({}, "username", True, False),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_who_looks(name: str) -> None:
    metadata, user, takes_input, expected = REQUESTS[name]
    header = {"msg_type": "execute_request", "username": user}
    request = {"header": header, "metadata": metadata, "content": {"allow_stdin": takes_input}}
    assert is_page(type("Shell", (), {"kernel": object(), "parent_header": request})()) is expected


def test_without_a_kernel_it_is_a_terminal() -> None:
    assert not is_page(type("Shell", (), {})())
    assert not is_page(None)


def test_each_row_of_the_page_names_tests_that_are_there() -> None:
    shown, tested = _tables((ROOT / "docs" / "front-ends.md").read_text(encoding="utf-8"))
    assert [row[0] for row in shown] == [row[0] for row in tested]
    for name, tests in tested:
        there: set[str] = set()
        for word in re.findall(r"`([^`]+)`", tests):
            if word.endswith(".py"):
                there = _tests_in(ROOT / word)
            else:
                assert word in there, (name, word)
        assert there, name


def _tests_in(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {each.name for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}


def _tables(text: str) -> list[list[list[str]]]:
    """Return the rows of each table of a page, without its head."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in each.splitlines()[2:]] for each in found]
