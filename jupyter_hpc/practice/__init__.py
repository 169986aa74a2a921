"""A real Slurm of one's own, to practise with: unprivileged, on loopback, up in about a second."""

from __future__ import annotations

from .slurm_cluster import (
    PracticeStatus,
    down,
    environment,
    find_running_conf,
    missing_packages,
    practice_root,
    status,
    up,
)

__all__ = [
    "PracticeStatus",
    "down",
    "environment",
    "find_running_conf",
    "missing_packages",
    "practice_root",
    "status",
    "up",
]
