"""Programs that run a notebook and save it, and what becomes of that: nbclient, papermill, nbconvert's HTML."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_hpc.views.mime import MIME

CELL = "%%local --name fits\nfrom IPython.display import HTML\nprint('a line')\ndisplay(HTML('<b>a plot</b>'))\n6 * 7"


def by_nbclient(path: Path) -> Any:
    from nbclient import NotebookClient

    found = nbformat.read(path, as_version=4)
    NotebookClient(found, timeout=180, kernel_name="python3").execute()
    return found


def by_papermill(path: Path) -> Any:
    import papermill

    return papermill.execute_notebook(str(path), str(path), progress_bar=False, kernel_name="python3")


def by_jupyter_execute(path: Path) -> Any:
    command = [Path(sys.executable).with_name("jupyter-execute"), "--inplace", "--kernel_name=python3", path.name]
    subprocess.run(command, cwd=path.parent, check=True, capture_output=True, timeout=180)
    return nbformat.read(path, as_version=4)


@pytest.fixture
def written(here: Path) -> Path:
    cells = [new_code_cell(source) for source in ("%load_ext jupyter_hpc", CELL)]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), here / "fits.ipynb")
    return here / "fits.ipynb"


@pytest.mark.parametrize("run", [by_nbclient, by_papermill, by_jupyter_execute])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # papermill's own
def test_the_saved_notebook_has_the_card_the_displays_and_the_value(written: Path, run: Any) -> None:
    card, plot, value = run(written).cells[1].outputs
    assert card.data[MIME]["state"] == "COMPLETED"
    assert "a line" in card.data["text/html"] and "a line" in card.data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" not in card.data
    assert (plot.data["text/html"], value.data["text/plain"]) == ("<b>a plot</b>", "42")


def test_its_html_shows_them_without_script(written: Path) -> None:
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter().from_notebook_node(by_nbclient(written))
    body = page[page.index("<body") :]
    assert "a line" in body and "<b>a plot</b>" in body and "COMPLETED" in body.upper()
    assert "running" not in body.lower().partition("a line")[0]
