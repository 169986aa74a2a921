"""Change where a notebook's cells run, by one word of each.

usage: python notebooks/retarget.py NOTEBOOK [--from slurm] [--to local] [--because TEXT]

Writes the notebook in place; with ``--because`` its first cell says that and why.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import nbformat

_NOTE = """\
> **{source} is not here**, so `%%{source}` cells have become `%%{target}`: the same cells, in a process of this
> machine. The reason:
>
{reason}"""


def retarget(notebook: nbformat.NotebookNode, source: str, target: str, because: str = "") -> None:
    """Let what runs on one target run on another.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    source, target : str
        The target's name in the notebook, and the one to use.
    because : str
        Why; told in a cell of its own, at the top.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = re.sub(rf"\A%%{source}\b", f"%%{target}", cell.source)
            cell.source = cell.source.replace(f'"{source}"', f'"{target}"')
    if because:
        reason = "\n".join(f">     {line}" for line in because.splitlines())
        text = _NOTE.format(source=source, target=target, reason=reason)
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell(text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--from", dest="source", default="slurm")
    parser.add_argument("--to", dest="target", default="local")
    parser.add_argument("--because", default="")
    arguments = parser.parse_args()
    notebook = nbformat.read(arguments.notebook, as_version=4)
    retarget(notebook, arguments.source, arguments.target, arguments.because)
    nbformat.write(notebook, arguments.notebook)


if __name__ == "__main__":
    main()
