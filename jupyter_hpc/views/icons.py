"""A sign and a colour for each state."""

from __future__ import annotations

from ..model.states import JobState
from .style import BAD, GOOD, LIVE, SOFT, WAITING

_ICONS = {
    JobState.SUBMITTING: ("↑", SOFT),
    JobState.PENDING: ("◷", WAITING),
    JobState.RUNNING: ("▶", LIVE),
    JobState.COMPLETED: ("✓", GOOD),
    JobState.CANCELLED: ("⊘", SOFT),
}
_FAILED = ("✗", BAD)


def icon(state: JobState) -> tuple[str, str]:
    """Return the sign and the colour of a state; the word always stands beside them."""
    return _ICONS.get(state, _FAILED)
