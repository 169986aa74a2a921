"""Local modules in their frozen form: on a node that doesn't see their folder, and after an edit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_hpc.capture.environment import beside, modules
from jupyter_hpc.capture.environment.modules import LocalModules
from jupyter_hpc.rundir.store import Store

Frozen = Callable[..., tuple[LocalModules, Path]]

_NODE = """
import json, sys
sys.path[:] = filter(None, sys.path)
from jupyter_hpc.worker import local_modules as modules
finder = modules.install(json.loads(sys.argv[1]), lambda path: False)
try:
    exec(sys.argv[2])
except Exception as error:
    print(finder.lost(error))
"""


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Frozen:
    """Write files into a folder on ``sys.path`` and freeze the modules among them that are named."""
    source = tmp_path / "source"
    monkeypatch.syspath_prepend(str(source))
    store = Store(tmp_path / "root")

    def make(files: dict[str, str], *names: str) -> tuple[LocalModules, Path]:
        for name, text in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(text)
        found = modules.collect(names)
        folder = tmp_path / "root" / "modules" / found.digest.partition(":")[2][:24]
        store.publish(folder, lambda f: beside.freeze(found.files, found.texts, found.digests, f, store.keep))
        return found, folder

    return make


def node(found: LocalModules, folder: Path, code: str) -> str:
    cell = {
        "module_paths": [str(folder)],
        "modules": found.table,
        "standard": [],
        "search_paths": {"first": [], "middle": [], "last": []},
    }
    done = subprocess.run(
        [sys.executable, "-c", _NODE, json.dumps(cell), code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() + done.stderr.strip()


UTILS = {
    "far_utils.py": "from pathlib import Path\ndef conf(name='far.json'): return (Path(__file__).parent / name).read_text()",
    "far.json": "{}",
    "unnamed.json": "{}",
    "far_proj/__init__.py": "",
    "far_proj/config.py": "from pathlib import Path\nROOT = Path(__file__).parents[1]\nRAW = ROOT / 'data' / 'raw.csv'",
    "data/raw.csv": "a,b",
}


WRAPPED = """
import far_utils
try:
    far_utils.conf('unnamed.json')
except OSError as error:
    raise RuntimeError('no configuration') from error
"""


def test_what_modules_name_beside_themselves_travels_and_the_rest_is_said(frozen: Frozen, tmp_path: Path) -> None:
    found, folder = frozen(UTILS, "far_utils", "far_proj")
    assert set(found.data) == {"far.json", "data/raw.csv"}
    code = "import far_utils, far_proj.config as c; print(far_utils.conf(), c.RAW.read_text(), far_utils.__file__)"
    here = tmp_path / "source"
    assert node(found, folder, code) == f"{{}} a,b {here / 'far_utils.py'}"
    here.rename(tmp_path / "elsewhere")  # a node that doesn't see the folder
    assert node(found, folder, code) == f"{{}} a,b {folder / 'far_utils.py'}"
    said = node(found, folder, WRAPPED)
    assert f"doesn't see {here}" in said
    assert "beside a copy of far_utils" in said


def test_a_folder_of_the_same_name_is_not_the_same_folder(frozen: Frozen, tmp_path: Path) -> None:
    found, folder = frozen({"same_name.py": "V = __file__"}, "same_name")
    (tmp_path / "source").rename(tmp_path / "kept")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "same_name.py").write_text("V = 'another'")
    assert node(found, folder, "import same_name; print(same_name.V)") == str(folder / "same_name.py")


def test_an_edit_of_a_package_costs_the_edited_file(frozen: Frozen) -> None:
    files = {f"wide/part{n}.txt": str(n) for n in range(5)} | {"wide/__init__.py": "V = 1"}
    _, first = frozen(files, "wide")
    found, second = frozen({"wide/__init__.py": "V = 22"}, "wide")
    assert first != second
    shared = [n for n in found.files if (first / n).samefile(second / n)]
    assert sorted(shared) == sorted(f"wide/part{n}.txt" for n in range(5))
    assert (second / "wide/__init__.py").read_text() == "V = 22"
