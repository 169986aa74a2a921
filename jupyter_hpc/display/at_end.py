"""A card that stays when its cell is done: as long as the kernel lives, it becomes the card of the end."""

from __future__ import annotations

import threading
from typing import Any

from ..follow.following import follow
from ..jobs.final_outputs import ended
from ..jobs.job import Job
from ..views.mime import lacking
from ..worker.apart import apart
from .front_end import is_page


def show_detached(shell: Any, job: Job) -> None:
    """Let a job that no cell waits for be shown as this cell's value in a card that its end changes."""
    if not is_page(shell):
        return
    count = shell.execution_count

    def card() -> None:
        if shell.execution_count != count:
            raise NotImplementedError  # IPython then goes on to the other formats
        from IPython.display import display

        handle = display(job._repr_mimebundle_(), raw=True, display_id=True)
        if handle is not None:
            become_final(job, handle.display_id)

    job._ipython_display_ = card  # type: ignore[attr-defined]


def become_final(job: Job, display_id: str) -> None:
    """Show how the job ended where its card stands, once it has; it is followed here anyway."""

    def begin(_: Any) -> None:  # not in the loop that follows jobs: what there is to read may be large
        arguments = ("the card", _show_end, job, display_id)
        threading.Thread(target=apart, args=arguments, name="jupyter_hpc card", daemon=True).start()

    follow(job.run).ended.add_done_callback(begin)


def _show_end(job: Job, display_id: str) -> None:
    from IPython.display import display

    found = ended(job.run)
    if found is not None:
        card = lacking(found.card) if found.shown else found.card
        display(card, raw=True, display_id=display_id, update=True)
