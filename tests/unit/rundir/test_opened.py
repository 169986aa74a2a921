"""Who else may write in a folder on the way to the root."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_hpc.model.exceptions import NotOurs
from jupyter_hpc.rundir import opened

ME, MINE, SHARED = 1000, 1000, 100
Users = dict[str, tuple[int, int]]  # name → user, primary group


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that its group may write, of this user, who isn't root."""
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    opened._is_private.cache_clear()
    folder = tmp_path / "project"
    (folder / "hpc").mkdir(parents=True, mode=0o700)
    for each in (folder, folder / "hpc"):
        os.chown(each, ME, MINE)
    folder.chmod(0o2775)
    yield folder
    opened._is_private.cache_clear()


def knows(monkeypatch: pytest.MonkeyPatch, users: Users, **members: list[str]) -> None:
    """Make the machine's lists of users and groups these."""
    rows = [SimpleNamespace(pw_name=name, pw_uid=user, pw_gid=group) for name, (user, group) in users.items()]
    monkeypatch.setattr(pwd, "getpwall", lambda: rows)
    groups = {int(name[1:]): SimpleNamespace(gr_name="team", gr_mem=inside) for name, inside in members.items()}

    def group(number: int) -> SimpleNamespace:
        if number not in groups:
            raise KeyError(number)
        return groups[number]

    monkeypatch.setattr(grp, "getgrgid", group)


ALONE: Users = {"root": (0, 0), "jo": (ME, MINE)}

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can make files that belong to somebody else")


@pytest.mark.parametrize(
    ("users", "members"),
    [
        (ALONE, []),
        (ALONE, ["jo"]),
        (ALONE, ["root", "jo"]),
        ({"root": (0, 0), "jovyan": (ME, MINE), "daemon": (1, 1)}, []),
    ],
    ids=["own", "listed", "with root", "of a container"],
)
def test_a_group_of_one_is_no_other(
    project: Path, monkeypatch: pytest.MonkeyPatch, users: Users, members: list[str]
) -> None:
    knows(monkeypatch, users, **{f"g{MINE}": members})
    with opened.open_root(project / "hpc") as root:
        assert root.names() == []


@pytest.mark.parametrize(
    ("users", "members"),
    [
        ({**ALONE, "bob": (1001, MINE)}, []),
        ({**ALONE, "bob": (1001, 1001)}, ["bob"]),
        (ALONE, ["somebody-of-a-directory-service"]),
        ({"root": (0, 0)}, []),
    ],
    ids=["their first group", "another group of theirs", "not listed", "nobody lists us"],
)
def test_a_group_that_others_are_in_or_may_be_in_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, users: Users, members: list[str]
) -> None:
    knows(monkeypatch, users, **{f"g{MINE}": members})
    with pytest.raises(NotOurs) as caught:
        opened.open_root(project / "hpc")
    assert f"{project}, in which the run directory {project}/hpc lies, can be written by the group team" in str(
        caught.value
    )
    assert f"`chmod go-w {project}`" in caught.value.hint


def test_root_does_not_except_its_own_group(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What root runs, it may run for everybody."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    os.chown(project, 0, 0)
    os.chown(project / "hpc", 0, 0)
    project.chmod(0o775)
    with pytest.raises(NotOurs, match="the group root"):
        opened.open_root(project / "hpc")


def test_descriptors_are_closed(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        opened.open_below(tmp_path / "hpc", ["a", "b"], make=True).close()
        with pytest.raises(FileNotFoundError):
            opened.open_below(tmp_path / "hpc", ["a", "b", "c"])
        with pytest.raises(OSError, match="Not a directory"):
            opened.open_root(Path("/etc/hostname/x"))
    assert len(os.listdir("/proc/self/fd")) == before
