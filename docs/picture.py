"""Make docs/cell.png: a real cell on a real Slurm, photographed in JupyterLab.

usage: python docs/picture.py   (needs jupyterlab, playwright, Chromium, and the practice Slurm up)
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import nbformat
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
CELL = """%%slurm --gpus 1 --cpus 2 --time 30m --name spirals
import os
print("on", os.uname().nodename, "with gpu", os.environ["CUDA_VISIBLE_DEVICES"])
model, losses = fit(X, y, epochs=100, lr=0.01)

plt.figure(figsize=(4.5, 1.9))
plt.plot(losses); plt.xlabel("epoch"); plt.ylabel("loss")
f"test accuracy {accuracy(model, X_test, y_test):.3f}\""""


def notebook() -> nbformat.NotebookNode:
    """Return the tour's definitions, hidden in one cell, and the cell to photograph."""
    tour = nbformat.read(HERE.parent / "notebooks" / "00-tour.ipynb", as_version=4)
    code = [c.source for c in tour.cells if c.cell_type == "code"]
    setup = "\n".join([code[0], *(c for c in code if c.startswith(("import numpy", "HIDDEN")))]) + "\nplt.close('all')"
    cells = [nbformat.v4.new_code_cell(setup), nbformat.v4.new_code_cell(CELL)]
    cells[0].metadata["jupyter"] = {"source_hidden": True}
    kernel = {"name": "python3", "display_name": "Python 3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def photograph(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
    page.add_style_tag(content=".Toastify { display: none }")  # JupyterLab's question about news
    page.get_by_text("| Idle").wait_for(timeout=90_000)
    page.wait_for_timeout(3000)  # the notebook's own connection to the kernel shows nowhere
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_selector(".jp-OutputArea-executeResult", timeout=60_000)
    page.locator(".jp-CodeCell").nth(1).screenshot(path=str(HERE / "cell.png"))


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    nbformat.write(notebook(), folder / "picture.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # an address and a token of this run only
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--IdentityProvider.token=picture", f"--ServerApp.root_dir={folder}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token=picture", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": 1100, "height": 900}, device_scale_factor=1.5)
            photograph(page, f"http://127.0.0.1:{port}/lab/tree/picture.ipynb?token=picture")
            browser.close()
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
