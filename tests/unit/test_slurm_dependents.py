"""Jobs that wait for one whose place another took, as squeue lists them and scontrol is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.backends.slurm.command import SlurmCommand
from jupyter_hpc.backends.slurm.dependents import instead, repointed
from jupyter_hpc.runtime import portal


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("afterok:7(unfulfilled)", "afterok:9"),
        ("afterok:7(failed),afterany:8(unfulfilled)", "afterok:9,afterany:8"),
        ("afterok:7_*(unfulfilled)?afternotok:77(unfulfilled)", "afterok:9_*?afternotok:77"),
        ("after:7+10(unfulfilled):17", "after:9+10:17"),
        ("aftercorr:71(unfulfilled)", "aftercorr:71"),
        ("singleton(unfulfilled)", "singleton"),
        ("(null)", "(null)"),
    ],
)
def test_one_id_is_another(written: str, found: str) -> None:
    assert instead(written, "7", "9") == found


def test_each_that_waits_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["12|afterok:7(unfulfilled)", "12|afterok:7(unfulfilled)", "13|afterok:8(unfulfilled)", "14|(null)", ""]
    scripts = {
        "squeue": f"cat <<'X'\n{chr(10).join([*rows, '15|afterany:7_2(unfulfilled)'])}\nX",
        "scontrol": f'echo "$@" >> {tmp_path}/told; [ "$2" != JobId=15 ] || {{ echo "Access denied" >&2; exit 1; }}',
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert portal.call(repointed(SlurmCommand(None), "7", "9"), 20) == {"12": "", "15": "Access denied"}
    told = (tmp_path / "told").read_text().splitlines()
    assert told == ["update JobId=12 Dependency=afterok:9", "update JobId=15 Dependency=afterany:9_2"]
