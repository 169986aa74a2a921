"""Sizes, spaces and colours come from one table, with a style sheet and without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_hpc.views import style

SHEETS = Path(__file__).parents[2] / "labextension" / "style"
TABLE = (SHEETS / "tokens.css").read_text()
AREAS = sorted(path for path in SHEETS.glob("*.css") if path.name not in ("tokens.css", "index.css"))
OWN = re.compile(  # a size of letters, a space, a colour that is not the table's
    r"font-size:\s*[\d.]|(?:padding|margin|gap)[a-z-]*:[^;]*[2-9]\d*px|#[0-9a-f]{3,8}\b|rgba?\(|"
    r"var\(--jp-(?!HPC|input-background|border)[a-z]"
)


@pytest.mark.parametrize("sheet", AREAS, ids=lambda path: path.stem)
def test_a_sheet_has_no_sizes_and_colours_of_its_own(sheet: Path) -> None:
    assert not OWN.findall(sheet.read_text())


def test_every_sheet_is_in_the_bundle_the_table_first() -> None:
    named = re.findall(r"url\('(\w+)\.css'\)", (SHEETS / "index.css").read_text())
    assert named[0] == "tokens"
    assert sorted(named) == sorted(["tokens", *(path.stem for path in AREAS)])


def test_what_is_used_of_the_table_is_in_it() -> None:
    there = set(re.findall(r"^\s+(--jp-HPC-[\w-]+):", TABLE, re.MULTILINE))
    for sheet in AREAS:
        text = sheet.read_text()
        own = set(re.findall(r"^\s+(--jp-HPC-[\w-]+):", text, re.MULTILINE))
        assert set(re.findall(r"var\((--jp-HPC-[\w-]+)", text)) <= there | own | {"--jp-HPC-look"}


@pytest.mark.parametrize("name", ["live", "waiting", "good", "bad"])
def test_a_colour_means_the_same_without_the_sheet(name: str) -> None:
    mixed = re.compile(r"color-mix\(\s*in srgb,\s*var\(--jp-([\w-]+).*?\)\s*(\d+)%", re.DOTALL)
    (there,) = re.findall(rf"--jp-HPC-{name}:\s*([^;]+);", TABLE)
    assert mixed.findall(there) == mixed.findall(getattr(style, name.upper())) != []
