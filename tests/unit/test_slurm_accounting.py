"""When sacct is asked, and when it is left alone; its answers are those that Slurm 22.05 gave."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_hpc.backends.slurm import accounting, command
from jupyter_hpc.backends.slurm.accounting import AWAY_S, OFF_S, Accounting
from jupyter_hpc.model.states import JobState
from jupyter_hpc.runtime import portal

SACCT = """#!/bin/bash
echo asked >> {folder}/calls
cat {folder}/err >&2
cat {folder}/out
[ ! -e {folder}/hang ] || exec sleep 60
exit "$(cat {folder}/status)"
"""
AWAY = """sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection to host:127.0.0.1:6819: Connection refused
sacct: error: Sending PersistInit msg: Connection refused
sacct: error: Problem talking to the database: Connection refused
"""
DISABLED = "Slurm accounting storage is disabled\n"
ENDED = "7|COMPLETED|0:0|2026-11-24T06:26:41|2026-11-24T06:26:41|c1|jupyter_hpc:run|\n"


class Site:
    """A ``sacct`` that says what it is told to, a clock that moves when it is told to, and who asks."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.now = folder, 1000.0
        (folder / "sacct").write_text(SACCT.format(folder=folder))
        (folder / "sacct").chmod(0o755)
        (folder / "slurm.conf").touch()
        monkeypatch.setenv("PATH", str(folder), prepend=":")
        monkeypatch.setattr(accounting, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.accounting = Accounting(command.SlurmCommand(str(folder / "slurm.conf")))

    def says(self, out: str = "", err: str = "", status: int = 0) -> None:
        for name, text in {"out": out, "err": err, "status": str(status)}.items():
            (self.folder / name).write_text(text)

    def look(self) -> tuple[JobState | None, str, bool]:
        seen = portal.call(self.accounting.look({"run": "7"}), 60)["run"]
        return seen.state, seen.reason, seen.is_settled

    @property
    def calls(self) -> int:
        calls = self.folder / "calls"
        return len(calls.read_text().splitlines()) if calls.exists() else 0


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


def test_a_database_that_is_away_is_asked_again_soon(site: Site) -> None:
    site.says(err=AWAY, status=1)
    assert site.look() == (None, "squeue doesn't know job 7; accounting does not answer (sacct)", True)
    site.now += AWAY_S - 1
    site.look()
    assert site.calls == 1
    site.says(ENDED)
    site.now += 2
    assert site.look()[0] is JobState.COMPLETED


def test_one_that_hangs_is_away_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.says()
    (site.folder / "hang").touch()
    with monkeypatch.context() as patch:  # only for what hangs: whatever answers may take its time
        patch.setattr(command, "TIMEOUT_S", 0.2)
        assert "accounting does not answer" in site.look()[1]
    (site.folder / "hang").unlink()
    site.says(ENDED)
    site.now += AWAY_S + 1
    assert site.look()[0] is JobState.COMPLETED


def test_a_site_without_accounting_is_left_alone(site: Site) -> None:
    site.says(err=DISABLED, status=1)
    assert site.look() == (None, "squeue doesn't know job 7; accounting is not kept here (sacct)", True)
    site.now += OFF_S - 1
    site.look()
    assert site.calls == 1


def test_a_job_that_the_archive_has_not_yet_is_asked_for_three_times(site: Site) -> None:
    site.says()
    settled = [site.look()[2]]
    for seconds in (1.0, 1.0, 5.0, 5.0, 100.0):
        site.now += seconds
        settled.append(site.look()[2])
    assert site.calls == 3
    assert settled == [False, False, False, False, True, True]
