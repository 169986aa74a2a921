"""A run and what led to it, in the words of others: through each standard's own library, imported when it is used."""

from __future__ import annotations

from ..ask import find
from ..index.index import index_of
from .collect import collect


def export(kind: str, what: str, to: str | None = None) -> str:
    """Export a run, or what a value or file came from, with its upstream, and say where it went.

    Raises
    ------
    HPCError
        If the standard's library isn't installed, or nothing says where to.
    """
    from ..ask.values import kernel_names

    index = index_of()
    runs = collect(index, find.find(index, what, namespace=kernel_names()))
    if kind == "openlineage":
        from .openlineage import emit

        return emit(runs, index.store, to)
    if kind == "rocrate":
        from .rocrate import write

        return write(runs, index.store, to)
    from .mlflow import log

    return log(runs)
