"""One cell or call to run, as the shells hand it to the core."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cell.analysis import CellNames

PROVIDED = {"get_ipython", "display", "exit", "quit", "open"}  # the worker has its own


FUNCTION, ARGS, KWARGS = "__hpc_function__", "__hpc_args__", "__hpc_kwargs__"


@dataclass(frozen=True)
class Request:
    """One cell (or call) to run, as the shells hand it to the core.

    Attributes
    ----------
    text : str
        The cell as the user wrote it.
    code : str
        The same after IPython's transformation.
    names : CellNames or None
        What the cell reads and assigns; None for scripts and calls.
    namespace : mapping
        Where the names live.
    label : str
        How tracebacks call the cell.
    hints : frozenset of str
        Names that are read inside magics; sent where they exist.
    guesses : frozenset of str
        Words inside magics that may be names; sent where they exist and can travel.
    sees_all : tuple of str
        What in the cell sees the whole namespace, as ``%who`` does.
    ipythons : mapping
        What IPython itself put into the namespace.
    inner : tuple of code
        What magics of the cell run, compiled.
    magics, extensions
        Magics of the user's own (see `magics.carried`), and IPython extensions, that the cell uses.
    future_flags : int
        Compiler flags of the ``from __future__ import`` that hold from earlier cells.
    lines_above : int
        Lines of the notebook's cell above the text: the magic's own, and blank ones.
    find_label : callable
        Gives the label of an earlier cell by the file name that its code was compiled under.
    """

    text: str
    code: str
    names: CellNames | None
    namespace: Mapping[str, Any]
    shared: dict[str, Any] | None = None  # what stands for ``__main__``; the namespace itself if None
    kind: str = "cell"  # cell, script or call
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] | None = None
    auto: bool = True
    no_outputs: bool = False
    label: str = "<cell>"
    filename: str = ""  # what its code is compiled under, so that its functions' sources are found; else the label
    hints: frozenset[str] = frozenset()
    guesses: frozenset[str] = frozenset()
    sees_all: tuple[str, ...] = ()
    ipythons: Mapping[str, Any] = field(default_factory=dict)
    inner: tuple[types.CodeType, ...] = ()
    magics: tuple[tuple[str, str, str], ...] = ()
    extensions: tuple[str, ...] = ()
    future_flags: int = 0
    find_label: Callable[[str], str | None] = lambda _: None
    workdir: str | None = None
    reads: tuple[str, ...] = ()  # files, as they are declared
    writes: tuple[str, ...] = ()
    notebook: Mapping[str, Any] = field(default_factory=dict)
    shell: Mapping[str, Any] = field(default_factory=dict)  # how the shell shows values, as plain JSON
    printers: Mapping[str, Any] = field(default_factory=dict)  # the notebook's own ways to show types, by MIME type
    variables: frozenset[str] = frozenset()  # given with --env
    is_array: bool = False
    lines_above: int = 0
    asked: Mapping[str, Any] = field(default_factory=dict)  # what its line says beside the spec, for the record


def output_names(request: Request) -> tuple[list[str], list[str]]:
    """Return the names that come back, and those of them that were asked for."""
    if request.no_outputs or request.kind == "script":
        return [], []
    if request.outputs is not None:
        return list(request.outputs), list(request.outputs)
    return (list(request.names.assigns) if request.names else []), []
