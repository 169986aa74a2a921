"""A real JupyterLab with our extension, in a real Chromium."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from jupyter_hpc.practice.slurm_conf import free_ports

BUNDLE = Path(__file__).parents[2] / "jupyter_hpc" / "labextension"
CONFIG = Path(__file__).parents[2] / "jupyter-config" / "server-config" / "jupyter_hpc.json"
TOKEN = "t" * 48
BASE = "/user/ann"  # as a JupyterHub gives each user
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SLOW_MS = 120_000
expect.set_options(timeout=SLOW_MS)  # when nothing will come any more: what it is about is that it comes
IS_READY = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


@dataclass
class Lab:
    """A running JupyterLab and the folder that it shows."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    pages: str = "lab/tree"  # where a notebook is shown
    has_widgets: bool = True

    @classmethod
    def start(
        cls, base: Path, *, has_extension: bool = True, has_widgets: bool = True, module: str = "jupyterlab"
    ) -> Lab:
        """Start it below a folder, with the extension as an installed wheel would bring it, or without."""
        shared, config = base / "share", base / "lab-config"
        (shared / "labextensions").mkdir(parents=True)
        (config / "jupyter_server_config.d").mkdir(parents=True)
        if has_extension:
            (shared / "labextensions" / "jupyter-hpc").symlink_to(BUNDLE)
            (config / "jupyter_server_config.d" / "jupyter_hpc.json").write_text(CONFIG.read_text())
        off = {"jupyter-hpc": not has_extension, "@jupyter-widgets/jupyterlab-manager": not has_widgets}
        (config / "labconfig").mkdir()
        (config / "labconfig" / "page_config.json").write_text(json.dumps({"disabledExtensions": off}))
        paths = os.pathsep.join([str(shared), os.environ.get("JUPYTER_PATH", "")]).strip(os.pathsep)
        environment = {**os.environ, "JUPYTER_PATH": paths, "JUPYTER_CONFIG_PATH": str(config)}
        lab = cls.serve(base, Path(sys.executable), environment, module)
        lab.has_widgets = has_widgets
        return lab

    @classmethod
    def serve(cls, base: Path, python: Path, environment: dict[str, str], module: str = "jupyterlab") -> Lab:
        """Start the JupyterLab, or the ``notebook``, of a Python in an environment, on an empty folder below ``base``."""
        folder, [port] = base / "work", free_ports("127.0.0.1", 1)
        folder.mkdir()
        settings = base / "lab-settings"
        quiet = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        quiet.parent.mkdir(parents=True)
        quiet.write_text('{"fetchNews": "false"}')  # nor ask whether to fetch them
        environment = {**environment, "JUPYTERLAB_SETTINGS_DIR": str(settings)}
        command = [
            *(str(python), "-m", module, "--no-browser", "--allow-root", f"--port={port}"),
            *(
                "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={TOKEN}",
                f"--ServerApp.root_dir={folder}",
                f"--ServerApp.base_url={BASE}",
            ),
            "--LabApp.news_url=None",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
        ]
        with (base / "lab.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
        lab = cls(f"http://127.0.0.1:{port}{BASE}", folder, process)
        if module == "notebook":
            lab.pages = "notebooks"
        lab._wait(base / "lab.log")
        return lab

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + 240
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/api?token={TOKEN}", timeout=5):
                    return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
                time.sleep(0.1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(120)

    def open(self, page: Page, name: str, *cells: str, dark: bool = False) -> None:
        """Make a notebook and open it, its kernel ready and our extension loaded."""
        sources = ["%load_ext jupyter_hpc", *cells]
        record = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{i}",
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                    "source": s,
                }
                for i, s in enumerate(sources)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(record))
        self.show(page, name)
        page.wait_for_function(IS_READY, timeout=SLOW_MS)
        set_theme(page, dark=dark)

    def show(self, page: Page, name: str) -> None:
        page.goto(f"{self.url}/{self.pages}/{name}?token={TOKEN}&reset", timeout=SLOW_MS)
        page.locator(".jp-Notebook").wait_for(timeout=SLOW_MS)

    def end_kernels(self) -> None:
        """Shut every kernel down, as somebody does in the list of what runs."""
        for session in self._ask("GET", "sessions"):
            self._ask("DELETE", f"sessions/{session['id']}")

    def _ask(self, method: str, path: str) -> Any:
        asked = urllib.request.Request(
            f"{self.url}/api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def show_empty(self, page: Page, *, dark: bool = False) -> None:
        """Open JupyterLab with no document."""
        page.goto(f"{self.url}/lab?token={TOKEN}&reset")
        page.locator('.lm-TabBar-tab[data-id="jupyter-hpc-sidebar"]').wait_for(timeout=SLOW_MS)
        page.locator(".jp-Launcher").wait_for(timeout=SLOW_MS)  # it takes the focus when it comes
        page.wait_for_function("window.jupyterapp.shell.currentWidget !== null")
        set_theme(page, dark=dark)


def set_theme(page: Page, *, dark: bool) -> None:
    """Choose a theme; the one of the test before stays in the user's settings."""
    theme = "Dark" if dark else "Light"
    command(page, "apputils:change-theme", {"theme": f"JupyterLab {theme}"})
    chosen = f'body[data-jp-theme-name="JupyterLab {theme}"]'
    page.locator(chosen).wait_for(timeout=SLOW_MS, state="attached")


def command(page: Page, name: str, arguments: dict[str, Any] | None = None) -> None:
    """Run one of JupyterLab's commands, as its palette does."""
    page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments or {}])


def begin_all(page: Page) -> None:
    """Run all cells, in whichever front end; the command's own promise ends with the last one."""
    page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-all-cells'); }")


def run_all(page: Page) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).first.click()


def open_sidebar(page: Page) -> None:
    """Show the queue, whatever the layout was."""
    page.locator('.lm-TabBar-tab[data-id="jupyter-hpc-sidebar"]').click()
    expect(page.locator(".jp-HPCQueue")).to_be_visible(timeout=SLOW_MS)


def serious_faults(page: Page, place: str) -> list[str]:
    """Return what axe finds there that would keep somebody out."""
    found = Axe().run(page, context=place).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {node['html'][:160]}" for each in serious for node in each["nodes"][:3]]
