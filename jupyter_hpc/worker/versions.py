"""Versions of installed packages, without importing them."""

from __future__ import annotations

import os
import sys
from typing import Optional


def installed_version(name: str) -> Optional[str]:
    """Return the version of a distribution from the name of its metadata folder (fast), or None."""
    prefix = name.lower().replace("-", "_") + "-"
    for path in sys.path:
        try:
            entries = os.listdir(path or ".")
        except OSError:
            continue
        for entry in entries:
            low = entry.lower()
            if low.startswith(prefix) and low.endswith((".dist-info", ".egg-info")):
                return entry[len(prefix) :].rpartition(".")[0].split("-")[0]
    return None
