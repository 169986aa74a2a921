"""What the worker says of its node."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_hpc.worker import hardware as machine

CARD = """Model: \t\t NVIDIA H100 80GB HBM3
IRQ:   \t\t 78
GPU UUID: \t GPU-7c1f6b2e-1b0b-3d3f-8a3b-3f2f0d5f9a11
Video BIOS: \t 96.00.74.00.1a
Bus Location: \t 0000:{n:02x}:00.0
Device Minor: \t {n}
"""


@pytest.mark.parametrize(
    "version",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  535.104.05  Release Build  (dvs-builder@U16)\n",
    ],
)
def test_cards_and_driver_come_from_the_driver_itself(tmp_path: Path, version: str) -> None:
    for n in (1, 2):
        (tmp_path / "gpus" / f"0000:{n:02x}:00.0").mkdir(parents=True)
        (tmp_path / "gpus" / f"0000:{n:02x}:00.0" / "information").write_text(CARD.format(n=n))
    (tmp_path / "version").write_text(version + "GCC version: gcc 12.2.0\n")
    found = machine.cards(str(tmp_path))
    assert found["driver"] == "535.104.05"
    assert [g["name"] for g in found["gpus"]] == ["NVIDIA H100 80GB HBM3"] * 2
    assert found["gpus"][0]["uuid"].startswith("GPU-7c1f")


def test_a_node_without_cards_says_nothing_of_them(tmp_path: Path) -> None:
    assert machine.cards(str(tmp_path)) == {}


def test_variables_are_those_of_the_list_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.setenv("MY_TOKEN", "abc")
    monkeypatch.setenv("LANG", "x" * 200)
    monkeypatch.setenv("LOADEDMODULES", "gcc/12:cuda/12.4")
    found = machine.describe()
    assert found["variables"] == {"OMP_NUM_THREADS": "4"}
    assert found["modules"] == "gcc/12:cuda/12.4"
