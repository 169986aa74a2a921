"""The table of causes as a page, for ``docs/causes.md``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from .causes import CAUSES
from .evidence import Facts

_EXAMPLE = cast(
    "Facts",
    SimpleNamespace(
        node="c1",
        run="~/.jupyter_hpc/runs/ID",
        last_word="its last line",
        exception="its own message",
        signal_name="SIGABRT",
        exit_code="exit code 7",
        when="",
        canceller="alice",
        replaced_by="20261124-055301-3f9a1c",
        of_limit=" of 4 GiB",
        used="; it used at least 3.9 GiB",
        more_memory="6G",
        limit="its time limit of 1 h",
        more_time="2h",
        module="NAME",
        node_python="/usr/bin/python3",
        place="/scratch/me/x.h5 (on /scratch, 0 B free)",
        problem="its own message",
        mismatch_hint="What to install, or which Python to choose.",
        refused="its own words",
        address_limit="",
        started_or_not="it had started",
        native_id="4711",
        raised={"exit_code": 3},
        record={"spec": {"workdir": "/home/me/nb"}},
        unsaved="its own words",
        restarts="`--requeue` on Slurm, `--retries N` on Kubernetes: it is started again by itself.",
        avoids_node="`-- --exclude=c1` (Slurm) keeps away from that node.",
        because=": its own words",
        lost="The cell ran to its end, but its result is lost: why.",
    ),
)


def markdown_table() -> str:
    """All causes as a Markdown table, for the docs."""
    lines = ["| Cause | Known by | Ends as | Error | Says | Suggests |", "|---|---|---|---|---|---|"]
    for cause in CAUSES:
        ends = cause.state.words if cause.state.is_final else "goes on waiting"
        words = (cause.says(_EXAMPLE), cause.suggests(_EXAMPLE))
        error = f"`{cause.error}`" if cause.error else ("the cell's own" if cause.state.is_final else "")
        cells = (f"`{cause.name}`", cause.sign.words, ends, error, *words)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
