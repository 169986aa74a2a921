"""Whose code runs: a root, a folder on the way to it, a worker or a result that somebody else could have made."""

from __future__ import annotations

import importlib.util
import os
import pickle
import py_compile
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_hpc.model.exceptions import HPCError, TargetError
from jupyter_hpc.practice.slurm_cluster import _prepare
from jupyter_hpc.rundir.store import Store, store
from tests.faults.road import submit

SOMEBODY = 12345
TRAP = "class Trap:\n    def __reduce__(self): return print, ('unpickled!',)\ny = Trap()"

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can make files that belong to somebody else")


def a_root(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(folder))
    return folder


def modes(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- the root ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o770, 0o2775, 0o755, 0o700], ids=oct)
def test_the_modes_of_a_folder_that_was_there_stay_as_they_are(
    here: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    root = a_root(here / "tmp", monkeypatch)
    root.mkdir()
    root.chmod(mode)
    if mode & 0o022:
        with pytest.raises(HPCError, match=r"can be written by (everybody|the group root)") as caught:
            submit("y = 1", "local")
        assert "JUPYTER_HPC_ROOT" in caught.value.hint
        assert list(root.iterdir()) == []
    else:
        assert submit("y = 1", "local").result(60) == {"y": 1}
        assert all(modes(each) & 0o077 == 0 for each in root.iterdir())
    assert modes(root) == mode


def test_a_practice_cluster_leaves_a_folder_for_all_as_it_is() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="jh") as name:
        folder = Path(name, "scratch")
        folder.mkdir()
        folder.chmod(0o1777)
        with pytest.raises(TargetError, match="others can write in it"):
            _prepare(folder)
        assert modes(folder) == 0o1777
        assert list(folder.iterdir()) == []


def test_a_root_of_somebody_else_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = a_root(here / "theirs", monkeypatch)
    root.mkdir(mode=0o700)
    os.chown(root, SOMEBODY, SOMEBODY)
    with pytest.raises(HPCError, match="belongs to the user 12345"):
        submit("y = 1", "local")


def group_writable(project: Path) -> None:
    project.chmod(0o2775)


def for_all(project: Path) -> None:
    project.chmod(0o777)


def of_somebody(project: Path) -> None:
    os.chown(project, SOMEBODY, SOMEBODY)


@pytest.mark.parametrize("open_to_others", [group_writable, for_all, of_somebody], ids=lambda f: f.__name__)
@pytest.mark.parametrize("is_linked", [False, True], ids=["plain", "linked"])
def test_a_folder_on_the_way_that_others_can_change_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch, open_to_others: Callable[[Path], None], is_linked: bool
) -> None:
    """Also one that only holds a link on the way: what the link means is for those who write there to say."""
    project = here / "project"
    project.mkdir(mode=0o755)
    root = a_root(project / "mine/hpc", monkeypatch)
    if is_linked:
        (here / "scratch").mkdir(mode=0o700)
        (project / "mine").symlink_to(here / "scratch")
    store().prepare()
    open_to_others(project)
    with pytest.raises(HPCError) as caught:
        submit("y = 1", "local")
    assert str(project) in caught.value.message
    assert "JUPYTER_HPC_ROOT" in caught.value.hint
    assert list((root / "runs").iterdir()) == []


def test_roots_in_safe_places_go_on_working(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for all in which each may remove only his own, setgid, execute only, links of one's own."""
    shared = here / "scratch"
    shared.mkdir()
    shared.chmod(0o3777)
    (here / "link").symlink_to("scratch/../scratch")
    a_root(here / "link/mine/deep/hpc", monkeypatch)
    assert submit("y = 1", "local").result(60) == {"y": 1}
    assert modes(shared / "mine") & 0o777 == 0o700
    shared.chmod(0o2711)
    assert submit("y = 2", "local").result(60) == {"y": 2}


def test_a_link_of_somebody_else_in_a_folder_for_all_is_not_followed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = here / "scratch"
    shared.mkdir()
    shared.chmod(0o1777)
    (here / "real").mkdir(mode=0o700)
    (shared / "mine").symlink_to(here / "real")
    os.chown(shared / "mine", SOMEBODY, SOMEBODY, follow_symlinks=False)
    a_root(shared / "mine/hpc", monkeypatch)
    with pytest.raises(HPCError, match="a link on the way"):
        submit("y = 1", "local")


# -- planted -------------------------------------------------------------------------------------


def evil_source(worker: Path, marker: Path) -> None:
    shutil.rmtree(worker / "jupyter_hpc_worker/__pycache__")  # else that is what is run
    path = worker / "jupyter_hpc_worker/main.py"
    path.write_text(f"open({str(marker)!r}, 'w').close()\n" + path.read_text().replace("from __future__", "# from"))


def evil_module(worker: Path, marker: Path) -> None:
    """One that the worker imports from elsewhere, first on its path."""
    (worker / "json.py").write_text(f"open({str(marker)!r}, 'w').close()\n")


def evil_bytecode(worker: Path, marker: Path) -> None:
    """Bytecode that is never checked against its source."""
    source = worker / "jupyter_hpc_worker/events.py"
    draft = marker.with_suffix(".py")
    draft.write_text(f"open({str(marker)!r}, 'w').close()\n" + source.read_text().replace("from __future__", "# from"))
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(draft), importlib.util.cache_from_source(str(source)), invalidation_mode=unchecked)


def evil_owner(worker: Path, marker: Path) -> None:
    evil_source(worker, marker)
    for folder, _, files in os.walk(worker):
        for each in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(each, SOMEBODY, SOMEBODY)


@pytest.mark.parametrize("plant", [evil_source, evil_module, evil_bytecode, evil_owner], ids=lambda f: f.__name__)
def test_a_worker_that_lay_there_before_is_not_run(
    here: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path, Path], None]
) -> None:
    """A root in which others could write before its first use."""
    elsewhere = Store(here / "elsewhere")
    elsewhere.prepare()
    genuine = elsewhere.worker_directory()
    root = a_root(here / "hpc", monkeypatch)
    planted = root / "worker" / genuine.name
    shutil.copytree(genuine, planted)
    marker = here / "marker"
    plant(planted, marker)
    root.chmod(0o700)
    assert submit("y = 1", "local").result(60) == {"y": 1}
    assert not marker.exists()
    assert submit("y = 2", "local").result(60) == {"y": 2}


def test_bytecode_of_ours_is_kept(here: Path) -> None:
    """It takes longer to make than a small cell."""
    runs = store()
    runs.prepare()
    worker = runs.worker_directory()
    made = {p: p.stat().st_mtime_ns for p in worker.rglob("*.pyc")}
    assert len(made) > 20
    runs.worker_directory()
    assert {p: p.stat().st_mtime_ns for p in worker.rglob("*.pyc")} == made


def test_a_buffer_of_somebody_else_is_not_sent(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal buffers are shared by their digest: one that others put there under that name is another."""
    first = a_root(here / "first", monkeypatch)
    names = {"b": pickle.PickleBuffer(bytearray(b"x" * (2 << 20)))}
    assert submit("n = bytes(b)[:3]", "local", names).result(60) == {"n": b"xxx"}
    blob = next(p for p in (first / "blobs").rglob("*") if p.is_file() and p.stat().st_size == 2 << 20)
    planted = a_root(here / "hpc", monkeypatch) / blob.relative_to(first)
    store().prepare()
    planted.parent.mkdir(mode=0o700, parents=True)
    planted.write_bytes(b"z" * (2 << 20))
    os.chown(planted, SOMEBODY, SOMEBODY)
    assert submit("n = bytes(b)[:3]", "local", names).result(60) == {"n": b"xxx"}


def test_a_frozen_module_that_lay_there_before_is_not_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "beside").mkdir()
    (here / "beside/mine_alone.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(here / "beside"))
    code = "import mine_alone\ny = mine_alone.value"
    a_root(here / "first", monkeypatch)
    job = submit(code, "local")
    assert job.result(120)["y"] == 1
    frozen = next((here / "first/modules").iterdir())
    root = a_root(here / "hpc", monkeypatch)
    shutil.copytree(frozen, root / "modules" / frozen.name)
    planted = root / "modules" / frozen.name / "mine_alone.py"
    planted = planted if planted.exists() else next((root / "modules").rglob("mine_alone.py"))
    planted.write_text("value = 666\n")
    root.chmod(0o700)
    assert submit(code, "local").result(60)["y"] == 1
