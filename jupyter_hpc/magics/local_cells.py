"""Tells the record of each cell that ran in the kernel itself."""

from __future__ import annotations

import sys
import time
from typing import Any

from ..capture.cell.magics import exposed
from .magic_names import opening

_shells: list[Any] = []  # a callback may take the result only, and is registered for one shell


def register(ipython: Any) -> None:
    unregister(ipython)
    _shells.append(ipython)
    ipython.events.register("pre_run_cell", before_cell)
    ipython.events.register("post_run_cell", after_cell)


def unregister(ipython: Any) -> None:
    for event, callback in (("pre_run_cell", before_cell), ("post_run_cell", after_cell)):
        try:
            ipython.events.unregister(event, callback)
        except ValueError:  # it was not registered
            pass
    _shells.clear()


def before_cell(info: Any) -> None:
    """Files that are older than this were not written by the cell."""
    lineage = sys.modules.get("jupyter_hpc.lineage.record.session")
    if lineage is not None:
        lineage.session.files.began = time.time()


def after_cell(result: Any) -> None:
    """Note a cell that has ended; nothing that goes wrong here may disturb it."""
    try:
        if _shells and result.info is not None:
            _note(_shells[0], result)
    except Exception:
        import logging

        logging.getLogger(__name__).debug("a local cell was not recorded", exc_info=True)


def _note(shell: Any, result: Any) -> None:
    text = result.info.raw_cell
    if result.info.silent or not result.info.store_history or not text.strip() or _is_sent(text):
        return
    from ..capture.cell.analysis import steps
    from ..lineage.record.session import LocalCell, session
    from .cells import notebook_of

    try:
        found = steps(_python(shell, text, getattr(result.info, "transformed_cell", None)))
    except SyntaxError:  # then it did nothing
        return
    told = notebook_of(shell)
    cell = LocalCell(
        text=text,
        steps=found,
        execution_count=result.execution_count,
        notebook=told["path"],
        cell_id=told["cell_id"],
        failed=not result.success,
    )
    session.ran(cell, shell.user_ns)


def _is_sent(text: str) -> bool:
    """Whether a cell's magic is one of ours: it did not run here."""
    found = opening(text.lstrip())
    return found is not None and found["sign"] == "%%"


def _python(shell: Any, text: str, transformed: str | None) -> str:
    """Return a cell as Python, with what timing magics wrap laid open; IPython has transformed it already."""
    code = transformed or shell.transform_cell(text)
    return shell.transform_cell(exposed(text)) if "get_ipython()" in code else code
