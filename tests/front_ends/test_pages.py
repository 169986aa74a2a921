"""A notebook's page without widgets, and without our extension: it shows what each display says of itself."""

from __future__ import annotations

from pathlib import Path

from jupyter_hpc.testing.notebook import Notebook
from jupyter_hpc.views.mime import MIME
from tests.front_ends.page import Page
from tests.front_ends.test_saved import CELL


def test_the_card_of_the_moment_and_then_of_the_end(notebook: Notebook, here: Path) -> None:
    gate = here / "gate"
    page = Page(notebook, notebook.cell(CELL.format(gate=str(gate))))
    page.until("a table")
    first = page.outputs[0].data
    assert "jp-HPCCard" in first["text/html"] and first[MIME]["state"] in ("PENDING", "RUNNING")
    gate.touch()
    page.to_end()
    card, curve, *rest = page.outputs
    assert card.data[MIME]["state"] == "COMPLETED" and "last line" in card.data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" not in card.data
    assert curve.data["text/html"] == "<b>curve of epoch 2</b>"
    assert rest[-1].data["text/plain"] == "42"
