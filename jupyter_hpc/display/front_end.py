"""What the user sits at: a page that shows displays and changes them in place, or something that prints lines."""

from __future__ import annotations

from typing import Any


def is_page(shell: Any) -> bool:
    """Tell whether who sent the cell shows HTML and takes updates; else text is all that is sure to be seen.

    A notebook's page names the cell that it sends: JupyterLab, Notebook 7, VS Code. Other pages that are made of
    JupyterLab's parts (Thebe) name none, nor a user, as a client on this machine does. Programs that run notebooks
    and save them (nbclient, papermill, Voilà) take no input. What does none of this prints what comes on a terminal,
    which acts on escape sequences: `ipython`, `jupyter console`, `jupyter run`, an editor's prompt.
    """
    if not hasattr(shell, "kernel"):
        return False
    request = getattr(shell, "parent_header", None) or {}
    names_cell = bool((request.get("metadata") or {}).get("cellId"))
    names_nobody = (request.get("header") or {}).get("username") == ""
    return names_cell or names_nobody or (request.get("content") or {}).get("allow_stdin") is False


def has_kernel(shell: Any) -> bool:
    """Tell whether displays go to a front end, whatever that is; else to this terminal."""
    return hasattr(shell, "kernel")
