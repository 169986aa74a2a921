"""The server's side: REST under ``/jupyter-hpc/`` and a word on Jupyter's event bus when something changed.

A thin shell around the core: it reads the same run directories as kernels and command line do, and has one watcher
a target for all of them.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .app import HPCApp

    return [{"module": "jupyter_hpc.server", "app": HPCApp}]
