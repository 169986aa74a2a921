"""Binder: what repo2docker does with ``binder/``, and the tour as a visitor finds it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as NotSeen

from tests.binder.container import HOST, REPOSITORY, TOKEN, Container, Lab, missing

pytestmark = pytest.mark.timeout(1500)


def absent(reason: str) -> None:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"not here: {reason}")


def test_repo2docker_takes_each_step_from_binder() -> None:
    """Its dry run prints the Dockerfile: packages, pip, postBuild, start, in this order."""
    program = shutil.which("jupyter-repo2docker") or absent("pip install jupyter-repo2docker")
    done = subprocess.run(
        [str(program), "--no-build", "--debug", "."],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-3000:]
    steps = [
        "buildpack-deps:24.04",
        "py-2d3-2e12-2dlinux",
        "--no-install-recommends libnss-wrapper slurm-wlm",
        'pip install --no-cache-dir -r "binder/requirements.txt"',
        "RUN ./binder/postBuild",
        'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"',
    ]
    places = [text.find(step) for step in steps]
    assert -1 not in places, steps[places.index(-1)]
    assert places == sorted(places)


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    if reason := missing():
        absent(reason)
    found = Container()
    try:
        found.build()
        yield found
    finally:
        found.remove()


def run_tour(page: Page, lab: Lab, cells: int) -> list[dict[str, object]]:
    """Open what JupyterLab opens, run all cells, and return them as saved."""
    page.goto(f"{lab.url}/?token={TOKEN}")
    try:
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=120_000)
    except NotSeen as error:
        page.screenshot(path="build/binder-failed.png")
        raise AssertionError(f"{page.url} shows no notebook.\n{lab.log[-3000:]}") from error
    assert "00-tour.ipynb" in page.url
    page.get_by_text("| Idle").wait_for(timeout=120_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).first.click()
    path = lab.container.home / "notebooks" / "00-tour.ipynb"
    deadline = time.monotonic() + 300
    while True:
        page.keyboard.press("Control+s")
        page.wait_for_timeout(2000)
        code = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
        if len(code) == cells and all(c["execution_count"] for c in code):
            return code
        assert time.monotonic() < deadline, [c["execution_count"] for c in code] + [lab.log[-2000:]]


def texts(code: list[dict[str, object]]) -> str:
    return "\n".join(json.dumps(cell["outputs"]) for cell in code)


def code_cells(path: Path) -> int:
    return sum(c["cell_type"] == "code" for c in json.loads(path.read_text())["cells"])


def test_the_tour_runs_on_a_slurm_of_the_visitors_own(container: Container, browser: Browser, shots: Path) -> None:
    container.fresh_tour()
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    lab = container.start()
    try:
        status = container_status(lab)
        assert status["CapBnd"] == status["CapEff"] == "0000000000000000"
        assert status["NoNewPrivs"] == "1"
        assert status["Uid"].split()[0] == "1000"
        code = run_tour(page, lab, code_cells(REPOSITORY / "notebooks" / "00-tour.ipynb"))
        page.screenshot(path=str(shots / "binder.png"))
    finally:
        lab.stop()
        page.close()
    gpus = next(c for c in code if "CUDA_VISIBLE_DEVICES" in "".join(c["source"]))
    assert "--gpus 1" in "".join(gpus["source"])
    assert "slurm job" in texts([gpus])
    assert "on " + HOST + " with gpu 0" in texts([gpus])
    errors = [o["ename"] for c in code for o in c["outputs"] if o["output_type"] == "error"]
    assert len(errors) == 1, errors  # the one that the tour is about
    assert "image/png" in texts(code)


def test_without_a_slurm_the_tour_says_so_and_runs_here(container: Container, browser: Browser, shots: Path) -> None:
    container.fresh_tour()
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    lab = container.start({"JUPYTER_HPC_PRACTICE_DIR": "/proc/none"})
    try:
        code = run_tour(page, lab, code_cells(REPOSITORY / "notebooks" / "00-tour.ipynb"))
        page.screenshot(path=str(shots / "binder-without-slurm.png"))
    finally:
        lab.stop()
        page.close()
    first = json.loads((container.home / "notebooks" / "00-tour.ipynb").read_text())["cells"][0]
    assert "slurm is not here" in "".join(first["source"])
    assert "/proc/none" in "".join(first["source"])
    assert not any("".join(c["source"]).startswith("%%slurm") for c in code)
    assert len([o for c in code for o in c["outputs"] if o["output_type"] == "error"]) == 1


def container_status(lab: Lab) -> dict[str, str]:
    """Return the server's /proc/PID/status: below unshare, in the container's process namespace."""
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes() if folder.name.isdigit() else b""
            if lab.url.rpartition(":")[2].encode() in command and b"jupyter" in command.split(b"\0")[1]:
                lines = (folder / "status").read_text().splitlines()
                found = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
                if found["Uid"].split()[0] == "1000":
                    return found
        except (OSError, IndexError):
            continue
    raise AssertionError("no JupyterLab runs")
