"""What is connected with a front end travels without that: widgets as their values, the kernel's getpass as any."""

from __future__ import annotations

import sys
import types

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

_CONNECTION = {"comm", "keys", "log"}
_FIRST = ("options", "children")  # setting these resets others


def reduce(obj: Any) -> Optional[Tuple[Any, ...]]:
    """Return what to pickle such an object as; None for all others."""
    if type(obj) is types.MethodType:
        is_kernels = type(obj.__self__).__module__.partition(".")[0] == "ipykernel"
        return (getattr, (sys.modules["getpass"], "getpass")) if is_kernels and _asks(obj) else None
    return _reduce_widget(obj) if _is_widget(obj) else None


def _asks(method: Any) -> bool:
    """The kernel puts its own method in the place of ``getpass.getpass``."""
    return method.__name__ == "getpass" and "getpass" in sys.modules


def _is_widget(obj: Any) -> bool:
    """Tell whether it is a widget without a way of its own to be pickled; ipywidgets isn't imported for it."""
    module = sys.modules.get("ipywidgets.widgets.widget")
    kind: Any = type(obj)
    return (
        module is not None
        and issubclass(kind, getattr(module, "Widget", ()))
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
    )


def _reduce_widget(widget: Any) -> Tuple[Any, ...]:
    """Reduce a widget to its type, its values, and the attributes that are not its library's."""
    names = [n for n in widget._trait_values if _is_value(widget, n)]
    state = {name: widget._trait_values[name] for name in names}
    own: Dict[str, Any] = {}
    if not _is_librarys(type(widget)):
        own = {k: v for k, v in vars(widget).items() if not k.startswith("_") and k not in state}
    return new_widget, (type(widget),), (state, own), None, None, set_widget


def _is_value(widget: Any, name: str) -> bool:
    if name in _CONNECTION or not widget.has_trait(name):
        return False
    trait = widget.traits()[name]
    return not trait.read_only and (not name.startswith("_") or name == "_dom_classes")


def _is_librarys(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "ipywidgets"


def new_widget(kind: Any) -> Any:
    """Make a widget that has no values yet."""
    if _is_librarys(kind):
        try:
            return kind()
        except TypeError:  # it needs arguments
            pass
    widget = kind.__new__(kind)
    widget._model_id = None
    return widget


def set_widget(widget: Any, state: Any) -> None:
    """Give a widget its values: one that is shown changes there."""
    values, own = state
    vars(widget).update(own)
    for name in [name for name in _FIRST if name in values]:
        _set(widget, name, values[name])
    with widget.hold_trait_notifications():
        for name, value in values.items():
            if name not in _FIRST:
                _set(widget, name, value)
    if getattr(widget, "comm", None) is None:
        widget.open()


def _set(widget: Any, name: str, value: Any) -> None:
    """Set a value that differs; equal ones would only be sent once more."""
    try:
        same = bool(getattr(widget, name) == value)
    except Exception:  # an array compares element by element, and may have none yet
        same = False
    if not same:
        setattr(widget, name, value)
