"""Accessors that the notebook gave to pandas' types (``df.geo``): they are there where a frame is."""

from __future__ import annotations

import sys
from typing import Any, List, Tuple

from . import looking

_TYPES = ("DataFrame", "Series", "Index")


def accessors() -> List[Tuple[str, str, Any]]:
    """Return type, name and class of each accessor that the notebook registered."""
    pandas: Any = sys.modules["pandas"]
    found = []
    for kind in _TYPES:
        for name in sorted(getattr(pandas, kind)._accessors):
            descriptor = looking.own(getattr(pandas, kind)).get(name)
            accessor = getattr(descriptor, "_accessor", None)
            if looking.module_of(accessor) == "__main__":
                found.append((kind, name, accessor))
    return found


def register(found: List[Tuple[str, str, Any]]) -> None:
    """Register accessors here, unless they are."""
    import pandas

    for kind, name, accessor in found:
        cls = getattr(pandas, kind)
        if getattr(looking.own(cls).get(name), "_accessor", None) is not accessor:
            setattr(cls, name, _descriptor(name, accessor))
            cls._accessors.add(name)


def _descriptor(name: str, accessor: Any) -> Any:
    from pandas.core import accessor as module

    make = getattr(module, "Accessor", None) or module.CachedAccessor  # its name since pandas 3
    return make(name, accessor)
