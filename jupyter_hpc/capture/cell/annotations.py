"""Classes that a class of the notebook names in its annotations as text: who validates by them looks them up later."""

from __future__ import annotations

import re
import sys
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from ...worker.looking import is_a, module_of, mro, own

_WORD = re.compile(r"[^\W\d]\w*")
_DEEPEST = 10


def annotated_names(value: Any, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Yield names of classes of the notebook that a class, or an object's class, names as text (``b: 'B'``)."""
    kind = value if is_a(value, type) else type(value)
    if module_of(kind) != "__main__":
        return
    for each in mro(kind):
        if module_of(each) == "__main__":
            for text in _texts(_annotations(each), 0):
                yield from (word for word in _WORD.findall(text) if is_a(namespace.get(word), type))


def _annotations(kind: type) -> Any:
    """Return a class's own annotations; since Python 3.14 as text, so that none is evaluated."""
    if sys.version_info < (3, 14):
        return own(kind).get("__annotations__")
    import annotationlib  # type: ignore[import-not-found]

    try:
        return annotationlib.get_annotations(kind, format=annotationlib.Format.STRING)
    except Exception:  # what a metaclass makes of it
        return None


def _texts(annotation: Any, depth: int) -> Iterator[str]:
    if type(annotation) is str:
        yield annotation
    elif type(annotation) is typing.ForwardRef:
        yield annotation.__forward_arg__
    elif type(annotation) is dict:
        for each in list(annotation.values()):
            yield from _texts(each, depth + 1)
    elif depth < _DEEPEST and not is_a(annotation, type):
        arguments = getattr(annotation, "__args__", ()) if module_of(type(annotation)) in ("typing", "types") else ()
        for each in arguments if type(arguments) is tuple else ():
            yield from _texts(each, depth + 1)
