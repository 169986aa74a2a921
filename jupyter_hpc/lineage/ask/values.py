"""The values of this kernel as the index knows them."""

from __future__ import annotations

import sys
import types
from typing import Any

from ...model.exceptions import JobNotFound
from ...worker.looking import is_a
from ..index.index import Index
from .find import Start, is_there, of_digest, of_name


def kernel_names() -> dict[str, Any] | None:
    """Return the names of this kernel; None outside one."""
    return vars(sys.modules["__main__"]) if "IPython" in sys.modules else None


def of_kernel(index: Index, name: str, value: Any) -> Start:
    """Return who made the value that a name has here now: the run that is known to have, else who wrote the name.

    Raises
    ------
    JobNotFound
        If nobody that is recorded did.
    """
    from ..record.known import known_values
    from ..record.session import session

    digest = digest_of(name, value)
    known = known_values.by_digest(name, digest) if digest else None
    if known is not None and known.run and is_there(index, known.run):
        return Start("value", name, known.run, known.name, known.digest)
    cells = session.ancestry(name).cells
    if cells and is_there(index, cells[-1]):
        return Start("value", name, cells[-1], name, digest)
    return of_name(index, name, digest)


def digest_of(name: str, value: Any) -> str | None:
    """Return the digest by which a run that made this value, or got it, has recorded it; None for code and modules."""
    from ...capture import memo
    from ..record.known import known_values

    if is_a(value, (type, types.FunctionType, types.ModuleType)):
        return None
    here = memo.digest_of(value)
    known = known_values.by_digest(name, here) if here else None
    return known.digest if known else here


def start_of(index: Index, value: Any) -> Start:
    """Return who made a value.

    Raises
    ------
    JobNotFound
        If nobody that is recorded did.
    """
    names = [n for n, v in vars(sys.modules["__main__"]).items() if v is value and not n.startswith("_")]
    if names:
        return of_kernel(index, names[0], value)
    digest = digest_of("", value)
    if digest is None:
        raise JobNotFound(f"{type(value).__name__} can't be looked up.", hint="Give its name as text.")
    return of_digest(index, digest, f"this {type(value).__name__}")
