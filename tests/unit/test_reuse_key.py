"""A run that is submitted again under other conditions is no answer to the cell as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.jobs.submit import rerun, resubmit
from tests.faults.road import over, submit


def test_only_what_may_have_the_same_result_keeps_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path / "hpc"))
    (tmp_path / "elsewhere").mkdir()
    first = over(submit("y = x + 1", "local", {"x": 1}, workdir=str(tmp_path)))
    assert first.record["reuse_key"]
    same, elsewhere = over(rerun(first)), over(rerun(first, workdir=str(tmp_path / "elsewhere")))
    larger = over(resubmit(first, resources={"memory": "2G"}))
    assert same.record["reuse_key"] == larger.record["reuse_key"] == first.record["reuse_key"]
    assert "reuse_key" not in elsewhere.record
