"""The routes of a job's page, on a server that knows this machine alone."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.server.page_handlers import _below
from tests.conftest import Sandbox
from tests.faults.road import submit
from tests.server.conftest import Server, started

CELL = """from pathlib import Path
from IPython.display import HTML, display
import jupyter_hpc
Path('model.txt').write_text('weights')
jupyter_hpc.artifact('model.txt')
display(HTML('<b onclick="alert(1)">shown</b>'))
print('done')
total = len(raw)
total"""


@pytest.fixture(scope="module")
def alone(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    folder = tmp_path_factory.mktemp("page") / "server"
    with started(folder) as found:
        yield found, folder


@pytest.fixture(scope="module")
def made(alone: tuple[Server, Path]) -> tuple[Job, Job]:
    """A run that made what another used."""
    one = submit("raw = list(range(50_000))", "local", name="prepare")
    names = one.result(120)
    two = submit(CELL, "local", names=names, name="train", workdir=str(alone[1]))
    assert two.wait(120), two.logs()
    return one, two


def test_files_are_listed_and_downloaded(alone: tuple[Server, Path], made: tuple[Job, Job]) -> None:
    server, (_, job) = alone[0], made
    files = {each["name"]: each for each in server.hpc(f"/jobs/{job.id}/files").body["files"]}
    assert files["made-0"]["title"].endswith("/model.txt") and files["made-0"]["nbytes"] == 7
    for name, inside in (("log", b"done"), ("code.py", b"total = len"), ("made-0", b"weights"), ("record.json", b"{")):
        answer = server.hpc(f"/jobs/{job.id}/files/{name}")
        assert answer.status == 200 and inside in answer.body
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")


def test_a_folder_that_the_file_browser_does_not_reach(alone: tuple[Server, Path], made: tuple[Job, Job]) -> None:
    assert alone[0].hpc(f"/jobs/{made[1].id}/files").body["folder"] is None
    run, root = made[1].run.path, made[1].run.path.parents[1]
    assert _below(run, root) == f"runs/{made[1].id}"
    assert _below(run, None) is None


@pytest.mark.parametrize("name", ["key", "../record.json", "..", "made-7", "a" * 900, "%00", "env/../log"])
def test_no_other_file_is_given(alone: tuple[Server, Path], made: tuple[Job, Job], name: str) -> None:
    quoted = urllib.parse.quote(name, safe="")
    assert alone[0].hpc(f"/jobs/{made[1].id}/files/{quoted}").status == 404


def test_nobody_without_the_token(alone: tuple[Server, Path], made: tuple[Job, Job]) -> None:
    for path in ("files", "files/log", "displays", "cell", "sbatch"):
        assert alone[0].hpc(f"/jobs/{made[1].id}/{path}", token=None).status == 403


def test_what_it_displayed(alone: tuple[Server, Path], made: tuple[Job, Job]) -> None:
    found = alone[0].hpc(f"/jobs/{made[1].id}/displays").body
    assert [each["data"].get("text/html", each["data"]["text/plain"]) for each in found["displays"]] == [
        '<b onclick="alert(1)">shown</b>',  # who shows it sanitises it
        "50000",
    ]
    assert found["left_out"] == 0


def test_an_input_names_the_run_that_made_it(alone: tuple[Server, Path], made: tuple[Job, Job]) -> None:
    one, two = made
    found = alone[0].hpc(f"/jobs/{two.id}").body
    assert [(each["name"], each["origin"]) for each in found["inputs"]] == [("raw", one.id)]
    files = [
        (Path(each["path"]).name, each["role"]) for each in found["files"]
    ]  # a fresh home's caches may be read, too
    assert [file for file in files if file[1] == "generated"] == [("model.txt", "generated")]


def test_the_cell_as_it_would_be_written_again(alone: tuple[Server, Path], made: tuple[Job, Job]) -> None:
    found = alone[0].hpc(f"/jobs/{made[1].id}/cell").body
    assert found == {"source": f"%%local --name train --workdir {alone[1]}\n{CELL}", "left_out": []}


def test_a_call_is_no_cell(alone: tuple[Server, Path]) -> None:
    import jupyter_hpc

    job = jupyter_hpc.submit(len, [1, 2], on="local")
    answer = alone[0].hpc(f"/jobs/{job.id}/cell")
    assert (answer.status, answer.body["message"]) == (409, f"{job.id} ran no cell.")
    assert job.wait(120)


def test_the_run_as_a_batch_script(alone: tuple[Server, Path], made: tuple[Job, Job]) -> None:
    found = alone[0].hpc(f"/jobs/{made[1].id}/sbatch").body["script"]
    assert found.startswith("#!/bin/bash\n#SBATCH --job-name=train\n")
    assert CELL in found and "which are not here: raw" in found


def test_the_line_that_failed(alone: tuple[Server, Path]) -> None:
    job = submit("def f(x):\n    return 1 / x\nf(0)", "local")
    assert job.wait(120)
    found = alone[0].hpc(f"/jobs/{job.id}").body
    assert (found["first_line"], found["failed_line"]) == (1, 2)
