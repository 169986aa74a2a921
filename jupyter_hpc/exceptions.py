"""Every error that jupyter_hpc raises, with the tree that they make: :mod:`jupyter_hpc.model.exceptions` has it."""

from .model.exceptions import *  # noqa: F403 they are its __all__
from .model.exceptions import __all__  # noqa: F401 re-exported
