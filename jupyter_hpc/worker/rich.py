"""Rich output on the node: what ``display()``, the last expression and matplotlib show.

Without IPython the formats are read from the objects' own ``_repr_*_`` methods; where IPython is importable
its display functions are routed here by :mod:`.ipython`.
"""

from __future__ import annotations

import sys

from . import areas, current, figures, ipython, widgets

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

    from .events import LogFile

    Bundle = Tuple[Dict[str, Any], Dict[str, Any]]

_OWN_OPTIONS = {"display_id", "update", "raw"}
_REPRS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
    "_repr_pdf_": "application/pdf",
}


def format_object(obj: Any, options: Dict[str, Any]) -> Bundle:
    """Return (data, metadata) of an object, as the kernel's formatter would.

    Parameters
    ----------
    options : dict
        What ``%precision`` and ``%config InlineBackend`` have set.
    """
    shell = ipython.live()
    if shell is not None:
        data, metadata = shell.display_formatter.format(obj)
        return data, metadata
    if figures.is_figure(obj):
        return figures.bundle(obj, options)
    data = {}
    metadata = {}
    if not isinstance(obj, type):
        _from_mimebundle(obj, data, metadata)
        for method, mime in _REPRS.items():
            if mime not in data:
                _from_method(obj, method, mime, data, metadata)
    if "text/plain" not in data:
        data["text/plain"] = plain(obj, options)
    return data, metadata


def _from_mimebundle(obj: Any, data: Dict[str, Any], metadata: Dict[str, Any]) -> None:
    bundle = _call(obj, "_repr_mimebundle_", include=None, exclude=None)
    if bundle is None:
        return
    if isinstance(bundle, tuple):
        bundle, more = bundle
        metadata.update(more)
    data.update({mime: _jsonable(value) for mime, value in bundle.items()})


def _from_method(obj: Any, method: str, mime: str, data: Dict[str, Any], metadata: Dict[str, Any]) -> None:
    value = _call(obj, method)
    if value is None:
        return
    if isinstance(value, tuple):
        value, more = value
        metadata[mime] = more
    data[mime] = _jsonable(value)


def _call(obj: Any, method: str, **arguments: Any) -> Any:
    function = _method(obj, method)
    if function is None:
        return None
    try:
        return function(**arguments)
    except NotImplementedError:
        return None
    except Exception:  # as in IPython, a broken repr shows its traceback and the other formats go on
        import traceback

        traceback.print_exc()
        return None


def _method(obj: Any, name: str) -> Any:
    """Return a method of the display protocol; an object whose ``__getattr__`` raises, or has everything, has none."""
    try:
        function = getattr(obj, name, None)
        made_up = getattr(obj, "_ipython_canary_method_should_not_exist_", None)
    except Exception:
        return None
    return function if callable(function) and made_up is None else None


def _jsonable(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    import base64

    return base64.b64encode(value).decode()


def plain(obj: Any, options: Dict[str, Any]) -> str:
    """Return the text form; long containers are laid out as the kernel lays them out."""
    if options:
        from .plain_text import chosen

        if (text := chosen(obj, options)) is not None:
            return text
    try:
        text = repr(obj)
    except Exception as error:
        return f"<{type(obj).__qualname__} whose repr raised {type(error).__name__}: {error}>"
    is_long = isinstance(obj, (dict, list, tuple, set, frozenset)) and ("\n" in text or len(text) > 79)
    if not is_long and _as_repr(obj):
        return text
    try:
        from IPython.lib.pretty import pretty
    except ImportError:
        import pprint

        return pprint.pformat(obj, width=79, compact=True) if is_long else text
    return str(pretty(obj))


_ATOMS = {str, int, float, complex, bool, bytes, type(None), type(...), range}


def _as_repr(obj: Any, depth: int = 0) -> bool:
    """Tell whether IPython's layout of a short text is ``repr``: then IPython need not be imported for it."""
    import types

    kind = type(obj)
    if kind in _ATOMS:
        return True
    if kind in (list, tuple, set, frozenset, dict):
        if depth > 20 or (kind in (set, frozenset) and len(obj) > 1):  # a cycle; sets are sorted
            return False
        parts = [*obj, *obj.values()] if kind is dict else obj
        return all(_as_repr(part, depth + 1) for part in parts)
    if isinstance(obj, (type, BaseException, types.FunctionType, types.BuiltinFunctionType)):
        return False
    shown: Any = kind.__repr__
    return shown is not object.__repr__ and not hasattr(kind, "_repr_pretty_")


def _event(update: Any) -> str:
    return "update_display" if update else "display"


def _shows_itself(obj: Any) -> bool:
    """Let an object show itself where it can (``_ipython_display_``)."""
    own = _method(obj, "_ipython_display_")
    if ipython.live() is not None or not callable(own) or isinstance(obj, type):
        return False  # IPython's formatter asks it
    try:
        own()
    except NotImplementedError:  # so it says that it can't
        return False
    return True


class DisplayHandle:
    """What ``display(…, display_id=…)`` returns: changes that display later."""

    def __init__(self, display_id: str) -> None:
        self.display_id = display_id

    def __repr__(self) -> str:
        return f"<DisplayHandle display_id={self.display_id}>"

    def display(self, obj: Any, **options: Any) -> None:
        self._show(obj, **options)

    def update(self, obj: Any, **options: Any) -> None:
        self._show(obj, update=True, **options)

    def _show(self, obj: Any, **options: Any) -> None:
        current.current_publisher().display(obj, display_id=self.display_id, **options)


class Publisher:
    """Writes outputs to the event file, in order with the text."""

    def __init__(self, log: LogFile) -> None:
        self.log = log
        self.shell_options: Dict[str, Any] = {}  # %precision, %config InlineBackend: as the kernel has them

    def publish(
        self,
        data: Dict[str, Any],
        metadata: Optional[Dict[str, Any]] = None,
        *,
        transient: Optional[Dict[str, Any]] = None,
        event: str = "display",
    ) -> None:
        if widgets.VIEW in data:
            widgets.show(self, data[widgets.VIEW], event, transient or {})
            return
        data = {mime: _jsonable(value) for mime, value in data.items()}
        event, transient = areas.place(self, event, transient or {})
        self.log.event(event, data=data, metadata=metadata or {}, transient=transient)

    def clear_output(self, wait: bool = False) -> None:
        if not areas.clear(self, bool(wait)):
            self.log.event("clear_output", wait=bool(wait))

    def display(self, *objects: Any, **options: Any) -> Optional[DisplayHandle]:
        """``display()`` of the cell; all its options are IPython's, where that can be imported."""
        if ipython.live() is not None or set(options) - _OWN_OPTIONS:
            try:
                from IPython.core.display_functions import display
            except ImportError:
                pass
            else:
                return display(*objects, **options)
        identifier = options.get("display_id")
        if identifier is True:
            import os

            identifier = os.urandom(16).hex()
        transient = {"display_id": str(identifier)} if identifier else {}
        for obj in objects:
            if _shows_itself(obj):
                continue
            data, metadata = (obj, {}) if options.get("raw") else format_object(obj, self.shell_options)
            self.publish(data, metadata, transient=transient, event=_event(options.get("update")))
        return DisplayHandle(str(identifier)) if identifier else None

    def value(self, obj: Any) -> None:
        """Show the cell's value (its last expression)."""
        if obj is None or _shows_itself(obj):
            return
        data, metadata = format_object(obj, self.shell_options)
        if data:
            self.publish(data, metadata, event="value")

    def flush_figures(self) -> None:
        """Show the figures that pyplot still holds, and close them, as the inline backend does."""
        widgets.flush()
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        try:
            for number in pyplot.get_fignums():
                self.display(pyplot.figure(number))
        finally:
            pyplot.close("all")
