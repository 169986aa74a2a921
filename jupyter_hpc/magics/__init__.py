"""The shells in IPython: ``%%slurm`` and the like for each target, ``%%hpc``, ``%hpc``."""

from __future__ import annotations

from typing import Any


def register(ipython: Any) -> None:
    """Register magics, the transformer for bodiless cells, and completion; idempotent."""
    from ..capture.environment import baseline, witness
    from . import completion, local_cells, tracebacks
    from .cells import HPCMagics, bodiless

    baseline.begin()
    witness.install()
    witness.note_loaded()

    ipython.register_magics(HPCMagics)
    if bodiless not in ipython.input_transformers_cleanup:
        ipython.input_transformers_cleanup.append(bodiless)
    completion.register(ipython)
    local_cells.register(ipython)
    tracebacks.register(ipython)


def unregister(ipython: Any) -> None:
    """Undo :func:`register`."""
    from ..capture.environment import witness
    from . import completion, local_cells, tracebacks
    from .cells import bodiless, remove_magics

    witness.uninstall()

    if bodiless in ipython.input_transformers_cleanup:
        ipython.input_transformers_cleanup.remove(bodiless)
    remove_magics(ipython)
    completion.unregister(ipython)
    local_cells.unregister(ipython)
    tracebacks.unregister(ipython)
