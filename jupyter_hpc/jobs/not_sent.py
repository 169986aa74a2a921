"""An error on the node about a name that the kernel has: what sends it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

_SAID = (  # how Python, pandas and pickle name what they don't find
    re.compile(r"name '(\w+)' is not defined"),
    re.compile(r"local variable '(\w+)' is not defined"),
    re.compile(r"module '__main__' has no attribute '(\w+)'"),
    re.compile(r"[Cc]an't get attribute '(\w+)' on <module '__main__'"),
    re.compile(r"cannot import name '(\w+)' from '__main__'"),
)
_KINDS = (
    "NameError",
    "UndefinedVariableError",
    "AttributeError",
    "ImportError",
    "KeyError",
    "UnpicklingError",
)


def hint(described: Mapping[str, Any], record: Mapping[str, Any], namespace: Mapping[str, Any] | None = None) -> str:
    """Return what to do about an exception on the node, or an empty text.

    Parameters
    ----------
    described : mapping
        Type and message of the exception.
    record : mapping
        The run's record, which has what was sent.
    namespace : mapping, optional
        The kernel's names.
    """
    names = sys.modules["__main__"].__dict__ if namespace is None else namespace
    kind, message = str(described.get("type")).rpartition(".")[2], str(described.get("message"))
    if kind not in _KINDS:
        return ""
    if kind == "KeyError":  # globals()["x"]; any other key is no name
        left = " ".join(record.get("names") or ())
        found = re.fullmatch(r"'(\w+)'", message)
        name = found[1] if found and re.search(rf"\b{found[1]}\b", left) else ""
    else:
        name = next((match[1] for said in _SAID if (match := said.search(message))), "")
    sent = {item.get("name") for item in record.get("inputs") or () if isinstance(item, dict)}
    if not name or name not in names or name in sent or name.startswith("__"):
        return ""
    return f"{name} is defined here and was not sent; `-i {name}` sends it."
