"""Local cells: what is written of them, when, and what the front end tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.lineage.record import session as cells
from jupyter_hpc.testing.notebook import Notebook
from tests.conftest import Sandbox


@pytest.fixture
def fresh(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Notebook, Path]]:
    """A kernel that has no run yet, and its store."""
    folder = Path(str(sandbox.directory)) / f"c{len(list(sandbox.directory.iterdir()))}"
    folder.mkdir()
    notebook = Notebook("local", {**sandbox.environment, "JUPYTER_HPC_ROOT": str(folder / "hpc")}, folder)
    yield notebook, folder / "hpc"
    notebook.stop()


def written(root: Path) -> list[dict[str, Any]]:
    return [cell for _, cell in cells.read(root) if cell is not None]


def test_cells_are_written_once_there_is_a_run(fresh: tuple[Notebook, Path]) -> None:
    notebook, root = fresh
    notebook.run("a = 1")
    notebook.run("import warnings\nb = a + 1\nr = r'\\d'")
    assert written(root) == []
    notebook.remote("c = b")
    notebook.run("d = c + b\nprint(d)")
    assert [(c["text"].split("\n")[0], c["writes"]) for c in written(root)] == [
        ("a = 1", ["a"]),
        ("import warnings", ["warnings", "b", "r"]),
        ("d = c + b", ["d"]),
    ]
    assert list(written(root)[2]["reads"]) == ["b", "c"]
    session = {c["id"].partition(":")[0] for c in written(root)}
    assert session == {notebook.value("_hpc.record['notebook']['session']")}


def test_what_is_no_local_cell_is_not_written(fresh: tuple[Notebook, Path]) -> None:
    notebook, root = fresh
    notebook.remote("c = 1")
    notebook.remote("c = 2")
    notebook.run("%hpc jobs")
    notebook.run("1 + 1")
    notebook.client.execute("silent = 1", silent=True)
    notebook.run("this is no python", fails=True)
    notebook.run("%%time\ntimed = c")
    notebook.run("%time line = timed")
    notebook.run("bad = c\n1 / 0", fails=True)
    assert [(c["writes"], list(c["reads"]), c.get("failed")) for c in written(root)] == [
        (["timed"], ["c"], None),
        (["line"], ["timed"], None),
        (["bad"], ["c"], True),
    ]


def test_notebook_and_cell_are_what_the_front_end_says(fresh: tuple[Notebook, Path]) -> None:
    notebook, root = fresh
    notebook.run("__vsc_ipynb_file__ = '/home/me/n.ipynb'")
    content = {
        "code": notebook.cell("x = 1"),
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }
    for code, cell_id in ((content["code"], "run-1"), ("y = x", "local-2")):
        message = notebook.client.session.msg(
            "execute_request", {**content, "code": code}, metadata={"cellId": cell_id}
        )
        notebook.client.shell_channel.send(message)
        notebook.finish(message["header"]["msg_id"])
    told = notebook.value("_hpc.record['notebook']")
    assert (told["path"], told["cell_id"]) == ("/home/me/n.ipynb", "run-1")
    last = written(root)[-1]
    assert (last["text"], last["notebook"], last["cell_id"]) == ("y = x", "/home/me/n.ipynb", "local-2")


def test_a_file_that_a_local_cell_wrote(fresh: tuple[Notebook, Path]) -> None:
    notebook, root = fresh
    notebook.remote("x = 1")
    path = notebook.directory / "made.txt"
    notebook.run(f"import jupyter_hpc\nopen({str(path)!r}, 'w').write('1')\njupyter_hpc.artifact({str(path)!r})")
    assert [(f["role"], f["path"], f["nbytes"]) for f in written(root)[-1]["files"]] == [("generated", str(path), 1)]
