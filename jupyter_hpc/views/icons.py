"""A sign and a colour for each state."""

from __future__ import annotations

from ..model.states import JobState

_ICONS = {
    JobState.SUBMITTING: ("↑", "#888"),
    JobState.PENDING: ("◷", "#b58900"),
    JobState.RUNNING: ("▶", "#208ffb"),
    JobState.COMPLETED: ("✓", "#00a250"),
    JobState.CANCELLED: ("⊘", "#888"),
}
_FAILED = ("✗", "#e75c58")


def icon(state: JobState) -> tuple[str, str]:
    """Return the sign and the colour of a state; the word always stands beside them."""
    return _ICONS.get(state, _FAILED)
