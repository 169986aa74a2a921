"""What a page holds of a cell, from the kernel's messages, and the notebook that it would save."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, output_from_msg

from jupyter_hpc.testing.notebook import Notebook, _is_idle


class Page:
    """One cell, as long as the page is open."""

    def __init__(self, notebook: Notebook, code: str) -> None:
        self._notebook, self._code = notebook, code
        self.outputs: list[Any] = []
        self._names: dict[str, list[int]] = {}
        self.request = notebook.begin(code)

    def until(self, text: str, kind: str = "display_data") -> None:
        """Take messages until a display with this text has come."""

        def has_come(message: dict[str, Any]) -> bool:
            return self._take(message) and message["msg_type"] == kind and text in str(message["content"])

        self._notebook.wait_for(self.request, has_come)

    def to_end(self) -> None:
        self._notebook.wait_for(self.request, lambda message: self._take(message) and _is_idle(message))
        self._notebook._reply(self.request)

    def _take(self, message: dict[str, Any]) -> bool:
        kind, content = message["msg_type"], message["content"]
        name = content.get("transient", {}).get("display_id", "")
        if kind == "update_display_data":
            for index in self._names.get(name, []):
                self.outputs[index].update(data=content["data"], metadata=content["metadata"])
        elif kind in ("stream", "display_data", "execute_result", "error"):
            self._names.setdefault(name, []).append(len(self.outputs))
            self.outputs.append(output_from_msg(message))
        return True

    def save(self, path: Path, **metadata: Any) -> Path:
        """Write the notebook as Jupyter does."""
        cell = new_code_cell(self._code, outputs=self.outputs, execution_count=7)
        nbformat.write(new_notebook(cells=[cell], metadata=metadata), path)
        return path


def outputs_of(path: Path) -> list[Any]:
    """A saved notebook's outputs, of its one cell, in nbformat's terms."""
    found = nbformat.read(path, as_version=4)
    nbformat.validate(found)
    return list(found.cells[0].outputs)


def text_of(path: Path) -> str:
    return json.dumps(json.loads(path.read_text()), ensure_ascii=False)
