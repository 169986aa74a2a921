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

HIDDEN = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open", "display"})  # put there by IPython itself
_TRIGGER = "IPython.core.interactiveshell"
_made: Dict[str, Any] = {}  # "shell": None while it is being made


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

        def initialized(cls: Any) -> bool:
            if "shell" not in _made:
                _made["shell"] = None  # while it is being made, others see none
                _made["shell"] = _make_shell(base, publisher, namespace)
            return _made["shell"] is not None

        base.initialized = classmethod(initialized)
        base.instance = classmethod(lambda cls, *a, **k: initialized(cls) and _made["shell"])

    sys.meta_path.insert(0, AfterImport(_TRIGGER, prepare))


def live() -> Any:
    """Return the shell if it was made; IPython is not imported for it."""
    return _made.get("shell")


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
            event = "update_display" if update else "display"
            publisher.publish(data, metadata, transient=transient, event=event)

        def clear_output(self, wait: bool = False) -> None:
            publisher.clear_output(wait)

    config = Config()
    config.HistoryManager.enabled = False
    main = sys.modules["__main__"]
    hook = sys.displayhook
    before = dict(namespace)
    kind = _without_windows(base)
    instance = kind(config=config, user_module=main, user_ns=namespace, display_pub_class=_DisplayPublisher)
    _set(instance, publisher.shell_options)
    instance.display_pub.publish = _DisplayPublisher(parent=instance, shell=instance).publish
    sys.displayhook = hook
    namespace.pop("In", None), namespace.pop("Out", None)
    namespace.update(before)  # what the user calls exit, open, _ or Out is the user's here, too
    return instance


def _without_windows(base: Any) -> Any:
    """Return a shell for which ``%matplotlib`` in all its forms means: pictures, as in all remote cells."""
    stderr = sys.stderr  # the job's own; a magic may put another one in its place

    class Shell(base):
        label = ""

        def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
            """Say what failed in a magic, and go on, as in a kernel: ``%%capture`` doesn't keep that to itself."""
            from .cell import format_inner

            stderr.write(format_inner(evalue, self.label))

        def enable_gui(self, gui: Any = None) -> None:
            """There is no window to wait for."""

        def enable_matplotlib(self, gui: Any = None) -> Any:
            import matplotlib

            package = __name__.rpartition(".")[0]
            matplotlib.use(f"module://{package}.matplotlib_backend")
            return gui or "inline", "inline"

    return Shell


def _set(shell: Any, options: Dict[str, Any]) -> None:
    """Give a new shell what the kernel's has set of ``%precision`` and of the inline backend."""
    from . import figures

    figures.teach(shell.display_formatter, options)
    if options.get("precision"):
        shell.display_formatter.formatters["text/plain"].float_format = options["precision"]
    try:
        from matplotlib_inline.config import InlineBackend
    except ImportError:  # then there is nothing to %config
        return
    wanted = {k: options[k] for k in ("figure_formats", "print_figure_kwargs") if options.get(k)}
    if "figure_formats" in wanted:
        wanted["figure_formats"] = set(figures.formats(options))
    backend = InlineBackend.instance(parent=shell, **wanted)  # without a shell yet: matplotlib isn't imported
    backend.shell = shell
    shell.configurables.append(backend)
