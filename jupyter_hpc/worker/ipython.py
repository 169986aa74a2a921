"""IPython on the node, only when the cell or a library there asks for it.

Importing IPython costs more than a whole small cell, so it is never imported for its own sake: when
something imports ``IPython.core.interactiveshell``, a small shell that writes to our event file is put
where ``get_ipython()`` and ``IPython.display`` look for it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # a start without typing and importlib.abc is faster
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional

    from .rich import Publisher

HIDDEN = frozenset(
    {"In", "Out", "exit", "quit", "get_ipython", "open", "display"}
)  # put there by IPython itself
_TRIGGER = "IPython.core.interactiveshell"


class AfterImport:
    """A finder that calls a function once the trigger module has been executed."""

    def __init__(self, trigger: str, then: Callable[[Any], None]) -> None:
        self._trigger = trigger
        self._then = then

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != self._trigger:
            return None
        import importlib.machinery

        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return spec
        execute, then = spec.loader.exec_module, self._then

        def exec_module(module: Any) -> None:
            execute(module)
            then(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def install(publisher: Publisher, namespace: Dict[str, Any]) -> None:
    """Arrange that IPython, if it is ever imported here, finds its shell running."""

    def prepare(module: Any) -> None:
        base = module.InteractiveShell
        made: Dict[str, Any] = {}

        def initialized(cls: Any) -> bool:
            if "shell" not in made:
                made["shell"] = None  # while it is being made, others see none
                made["shell"] = _make_shell(base, publisher, namespace)
            return made["shell"] is not None

        base.initialized = classmethod(initialized)
        base.instance = classmethod(lambda cls, *a, **k: initialized(cls) and made["shell"])

    sys.meta_path.insert(0, AfterImport(_TRIGGER, prepare))


def shell() -> Any:
    """Return the running shell, importing IPython if need be."""
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _make_shell(base: Any, publisher: Publisher, namespace: Dict[str, Any]) -> Any:
    from IPython.core.displaypub import DisplayPublisher
    from traitlets.config import Config

    class _DisplayPublisher(DisplayPublisher):
        def publish(
            self,
            data: Any,
            metadata: Any = None,
            source: Optional[str] = None,
            *,
            transient: Any = None,
            update: bool = False,
            **kwargs: Any,
        ) -> None:
            publisher.publish(data, metadata, transient=transient, update=update)

        def clear_output(self, wait: bool = False) -> None:
            publisher.clear_output(wait)

    config = Config()
    config.HistoryManager.enabled = False
    main = sys.modules["__main__"]
    hook = sys.displayhook
    before = dict(namespace)
    instance = base(config=config, user_module=main, user_ns=namespace, display_pub_class=_DisplayPublisher)
    instance.display_pub.publish = _DisplayPublisher(parent=instance, shell=instance).publish
    sys.displayhook = hook
    namespace.pop("In", None), namespace.pop("Out", None)
    namespace.update(before)  # what the user calls exit, open, _ or Out is the user's here, too
    return instance
