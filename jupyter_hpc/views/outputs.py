"""What a cell shows once its job has ended, as a notebook holds it; and such outputs put where older ones stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.states import JobState
from ..rundir.displays import standing
from ..rundir.reader import Output
from .card import card_html, card_text
from .mime import MIME, job_mime
from .picture import Picture

NotebookOutput = dict[str, Any]  # in nbformat's terms, in memory: texts are whole


@dataclass(frozen=True)
class Ended:
    """What is left of a job that has ended.

    Attributes
    ----------
    card : dict
        How it went, a bundle of forms.
    shown : list of Output
        Its displays and its value, as they stood at its end.
    earlier : list of dict
        Every bundle that it displayed at any time; a notebook that was saved meanwhile has some of them.
    """

    card: dict[str, Any]
    shown: list[Output]
    earlier: list[dict[str, Any]]


def card_bundle(picture: Picture) -> dict[str, Any]:
    """Return the card in every form, for whatever shows it."""
    card = {"text/html": card_html(picture), "text/plain": card_text(picture)}
    return {**card, **job_mime(picture.run.id, picture.status.state)}


def as_ended(picture: Picture, outputs: Sequence[Output]) -> Ended:
    """Return what is left of a job from how it looks and all that it showed."""
    earlier = [output.data for output in outputs if output.data]
    return Ended(card_bundle(picture), standing(outputs), earlier)


def unfinished(output: NotebookOutput) -> str:
    """Return the id of the job that an output shows as it was before its end; empty for any other output."""
    ours = _data(output).get(MIME)
    if not isinstance(ours, dict) or not isinstance(ours.get("id"), str):
        return ""
    is_final = str(ours.get("state")) in _FINAL and not ours.get("lacks_displays")
    return "" if is_final else ours["id"]


def _data(output: NotebookOutput) -> dict[str, Any]:
    """Return what an output shows, by its forms; a notebook may come from anywhere, and hold anything there."""
    data = output.get("data")
    return data if isinstance(data, dict) else {}


_FINAL = {state.value for state in JobState if state.is_final}


def finished(
    outputs: Sequence[NotebookOutput], ended: Callable[[str], Ended | None], count: int | None = None
) -> list[NotebookOutput]:
    """Return a cell's outputs, each card of a job that has ended meanwhile replaced by how it ended and what it showed.

    Everything else stays as it is and where it is; done again, it changes nothing.

    Parameters
    ----------
    ended : callable
        Takes a run's id; returns None for a job that lives, and for one that is nobody's here.
    count : int, optional
        The cell's number, which its value is shown with.
    """
    found: list[NotebookOutput] = []
    earlier: list[dict[str, Any]] = []  # of the job whose card stands above
    for output in outputs:
        if MIME in _data(output):
            earlier = []
        run_id = unfinished(output)
        job = ended(run_id) if run_id else None
        if job is not None:
            earlier = job.earlier
            found.append({**output, "data": job.card})
            for each in job.shown:
                has_number = any(o.get("output_type") == "execute_result" for o in (*outputs, *found))  # one of a cell
                found.append(_in_notebook(each, None if has_number else count))
        elif not (earlier and output.get("data") in earlier):
            found.append(output)
    return found


def _in_notebook(output: Output, count: int | None) -> NotebookOutput:
    shown = {"data": output.data, "metadata": output.metadata}
    if output.kind == "value" and count is not None:
        return {"output_type": "execute_result", "execution_count": count, **shown}
    return {"output_type": "display_data", **shown}
