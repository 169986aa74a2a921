"""How values came to be: what is recorded of each run, and of the local cells between runs; asked, shown, exported.

The package can be called: ``jupyter_hpc.lineage(model)`` is :func:`jupyter_hpc.lineage.show.view.lineage`.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .show.view import Lineage


class _Callable(types.ModuleType):
    def __call__(self, what: Any) -> Lineage:
        """Return how a value, name, run or file came to be."""
        from .show.view import lineage

        return lineage(what)


sys.modules[__name__].__class__ = _Callable
