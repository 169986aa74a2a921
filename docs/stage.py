"""Where scenes are played: a JupyterLab with run directories and a practice Slurm of its own, and a camera."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from jupyter_hpc import practice
from jupyter_hpc.testing.sandbox import environment

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PATIENCE_MS = 180_000
TOKEN = "pictures"
THEMES = ("Light", "Dark")
FRAMES_A_SECOND = 8
FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")


@dataclass
class Stage:
    """One scene's run directories, JupyterLab and browser."""

    url: str
    folder: Path
    browser: Browser
    into: Path
    readme: Path = HERE
    pages: list[Page] = field(default_factory=list)

    # -- what is seen ------------------------------------------------------------------------------

    def lab(self, width: int = 1440, path: str = "", height: int = 900) -> Page:
        """Open JupyterLab on no document."""
        page = self.browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2)
        self.pages.append(page)
        page.goto(f"{self.url}/lab{path}?token={TOKEN}&reset", timeout=PATIENCE_MS)
        page.get_by_role("tab", name="Cluster jobs").first.wait_for(timeout=PATIENCE_MS)
        page.wait_for_function("window.jupyterapp && window.jupyterapp.shell.currentWidget !== null")
        self.theme(page, THEMES[0])
        return page

    def notebook(self, name: str, *cells: str, width: int = 1440) -> Page:
        """Open a notebook whose first cell is hidden, with its kernel ready and nothing beside it."""
        _write(self.folder / f"{name}.ipynb", cells)
        page = self.lab(width, f"/tree/{name}.ipynb")
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=PATIENCE_MS)
        page.get_by_text("| Idle").wait_for(timeout=PATIENCE_MS)
        command(page, "application:toggle-left-area")
        return page

    def runs(self, *cells: str, may_fail: bool = False) -> None:
        """Run cells in a kernel that nobody sees, with the magics loaded."""
        notebook = _notebook(["%load_ext jupyter_hpc", *cells])
        nbclient.NotebookClient(
            notebook, timeout=300, allow_errors=may_fail, resources={"metadata": {"path": str(self.folder)}}
        ).execute()

    def theme(self, page: Page, theme: str) -> None:
        command(page, "apputils:change-theme", {"theme": f"JupyterLab {theme}"})
        page.locator(f'body[data-jp-theme-name="JupyterLab {theme}"]').wait_for(state="attached")
        page.wait_for_timeout(600)  # colours fade into each other

    def widen(self, page: Page, width: int) -> None:
        """Pull the sidebar to a width, by its handle."""
        box = page.locator("#jp-left-stack").bounding_box()
        assert box is not None
        edge, height = box["x"] + box["width"], box["y"] + 300
        page.mouse.move(edge + 1, height)
        page.mouse.down()
        page.mouse.move(box["x"] + width, height, steps=4)
        page.mouse.up()

    # -- the camera --------------------------------------------------------------------------------

    def shot(self, name: str, what: Locator | None, page: Page | None = None) -> None:
        """Photograph an element, or the whole page, in both themes."""
        whose = page or (what.page if what is not None else None)
        assert whose is not None
        for theme in THEMES:
            self.theme(whose, theme)
            path = self.into / f"{name}-{theme.lower()}.png"
            (what or whose).screenshot(path=str(path))
            print(path, flush=True)
        self.theme(whose, THEMES[0])

    def narrow(self, name: str, page: Page, what: Locator) -> None:
        """Photograph an element in a window that leaves it little room."""
        page.set_viewport_size({"width": 620, "height": 900})
        self.shot(f"{name}-narrow", what)

    def still(self, what: Locator, name: str) -> None:
        """Photograph an element for the README."""
        self._keep(name, Image.open(io.BytesIO(what.screenshot())))

    def animation(self, what: Locator, name: str, seconds: float) -> None:
        """Photograph an element again and again for the README, as large as it becomes."""
        frames: list[Image.Image] = []
        begun = time.monotonic()
        moments: list[float] = []
        while time.monotonic() - begun < seconds:
            moments.append(time.monotonic())
            frame = what.screenshot(type="jpeg", quality=95, scale="css")  # which takes a tenth of the time
            frames.append(Image.open(io.BytesIO(frame)).convert("RGB"))
            what.page.wait_for_timeout(max(0.0, 1000 / FRAMES_A_SECOND - (time.monotonic() - moments[-1]) * 1000))
        size = (max(f.width for f in frames), max(f.height for f in frames))
        padded = [Image.new("RGB", size, "white") for _ in frames]
        for canvas, frame in zip(padded, frames, strict=True):
            canvas.paste(frame, (0, 0))
        spans = [round((b - a) * 1000) for a, b in zip(moments, [*moments[1:], moments[-1] + 2], strict=True)]
        path = self.readme / name
        padded[0].save(path, save_all=True, append_images=padded[1:], duration=spans, loop=0, quality=70, method=4)
        print(path, path.stat().st_size, flush=True)

    def beside(self, name: str, shown: Sequence[Callable[[], Locator]]) -> None:
        """Photograph one thing after the other, and put them side by side for the README."""
        images = [Image.open(io.BytesIO(show().screenshot())).convert("RGB") for show in shown]
        gap = 32
        height = max(image.height for image in images)
        whole = Image.new("RGB", (sum(i.width for i in images) + gap * (len(images) - 1), height), "white")
        x = 0
        for image in images:
            whole.paste(image, (x, 0))
            x += image.width + gap
        self._keep(name, whole)

    def _keep(self, name: str, image: Image.Image) -> None:
        path = self.readme / name
        image.convert("RGB").save(path, optimize=True)
        print(path, path.stat().st_size, flush=True)


def command(page: Page, name: str, arguments: dict[str, Any] | None = None) -> None:
    """Run one of JupyterLab's commands, as its palette does."""
    page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments or {}])


def _notebook(cells: Sequence[str]) -> nbformat.NotebookNode:
    kernel = {"name": "python3", "display_name": "Python 3"}
    made = [nbformat.v4.new_code_cell(source) for source in cells]
    return nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})


def _write(path: Path, cells: Sequence[str]) -> None:
    notebook = _notebook(cells)
    notebook.cells[0].metadata["jupyter"] = {"source_hidden": True}
    nbformat.write(notebook, path)


@contextmanager
def stages(into: Path) -> Iterator[Callable[[], Stage]]:
    """Start a practice Slurm, a JupyterLab and a browser; give what makes a stage with an empty store."""
    home = Path(tempfile.mkdtemp(prefix="pictures"))
    own = {**environment(home), **{name: str(home / name.lower()) for name in FOLDERS}}
    own["JUPYTER_HPC_PRACTICE_DIR"] = str(home / "slurm")
    os.environ.clear()
    os.environ.update(own)
    work = home / "work"
    work.mkdir()
    try:
        practice.up()
        with _server(home, work) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            into.mkdir(parents=True, exist_ok=True)
            yield lambda: Stage(url, work, browser, into)
            browser.close()
    finally:
        practice.down()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _server(home: Path, work: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = home / "jupyterlab_settings_dir" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text(json.dumps({"fetchNews": "false"}))  # nor ask whether to fetch them
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={work}", "--LabApp.news_url=None"]
    command += ["--LabApp.expose_app_in_browser=True", "--LabApp.workspaces_dir=" + str(home / "workspaces")]
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=work)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{url}/api?token={TOKEN}", timeout=5).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    sys.exit((home / "lab.log").read_text()[-3000:])
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(60)
