"""What is sent where a cell hides the names that it uses: everything of the user's that can travel, up to a size."""

from __future__ import annotations

import builtins
import re
import sys
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..model.resources import format_size, parse_size
from ..runtime.settings import setting
from ..worker.continuation import Nowhere
from ..worker.late import LateModule
from ..worker.looking import instance_dict, is_a, module_of
from ..worker.pickling import ValuePickler
from .cell.hiding import Hiding, hiding, texts_in
from .reach import codes, reached_names

if TYPE_CHECKING:
    from .request import Request

_MOST_NAMED = 5
_MOST_LOOKED_AT = 20_000  # parts of a value, to estimate its size
_SAMPLE = 500
_ARRAYS = {"numpy", "torch", "cupy", "pyarrow", "xarray", "jax", "jaxlib", "tensorflow"}
_OBJECT = 64  # bytes of an instance besides what it holds
_HISTORY = {"In": "_ih", "Out": "_oh"}
_CELLS_OWN = frozenset("_ __ ___ _i _ii _iii _ih _oh _dh _hpc _exit_code _sh".split())  # noqa: SIM905


@dataclass(frozen=True)
class Unseen:
    """What travels because it may be needed.

    Attributes
    ----------
    names : mapping
        Names, each with why it is sent.
    values : mapping
        What is sent for a name where that is not its value.
    modules : frozenset of str
        Modules that a name may be, imported by a text.
    lines : tuple of str
        What the user should know.
    loads : mapping
        Modules that the pickle of each name needs; none of them may keep the cell from running.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()
    lines: tuple[str, ...] = ()
    loads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    needed: tuple[str, ...] = ()

    def only_loads(self, request: Request, shared: Any) -> set[str]:
        """Return the modules that only these names load: a node without them can run the cell nevertheless."""
        loads = {module for modules in self.loads.values() for module in modules}
        if loads:
            loads -= trial([request.namespace[name] for name in self.needed], shared) or loads
        return loads


def of(request: Request, needed: Collection[str], provided: Collection[str], shared: Any) -> Unseen:
    """Return what travels because it may be needed, where the cell hides the names that it uses.

    Parameters
    ----------
    provided : collection of str
        Names that the node has of its own.
    shared : mapping
        What stands for ``__main__``.
    """
    if request.kind == "script" or not request.auto:
        return Unseen()
    found = find(request, needed)
    if not (found or request.guesses):
        return Unseen()
    most = parse_size(str(setting("most_unseen")))
    return choose(request, found, needed, provided, most, lambda value: trial(value, shared))


def trial(value: Any, shared: Any) -> frozenset[str] | None:
    """Pickle a value to see whether it can travel: which modules its pickle names, or None."""
    pickler = ValuePickler(Nowhere(), namespace=shared, buffer_callback=lambda _: None)
    try:
        pickler.dump(value)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a foreign __reduce__ may raise anything
        return None
    return frozenset(pickler.modules)


def find(request: Request, needed: Iterable[str]) -> Hiding:
    """Return what hides names in the cell, and in the functions of the notebook that it reaches."""
    namespace = request.namespace
    reached = (code for name in needed for code in codes(namespace.get(name)))
    found = hiding([*request.inner, *reached], namespace)
    names = request.names
    if names is None:
        return found
    own = hiding([names.code], namespace, is_cell=True)
    if found.texts or found.pointers:  # a function that is given its text, most likely by the cell
        found.texts |= texts_in(names.code)
        found.pointers |= set(needed)
    hides = [name for name, _ in names.dynamic if _is_builtin(name, namespace)]
    found.everything[:0] = [*request.sees_all, *hides, *own.everything]
    found.code[:0] = own.code
    found.texts |= names.texts
    found.pointers |= names.pointers
    if any(name not in namespace for name in names.pointers):  # the cell makes the text itself
        found.texts |= texts_in(names.code)
    found.modules |= own.modules
    return found


def _is_builtin(name: str, namespace: Mapping[str, Any]) -> bool:
    mine = namespace.get(name)
    return mine is None or mine is getattr(builtins, name, None) or name == "import_module"


def choose(
    request: Request,
    found: Hiding,
    needed: Collection[str],
    provided: Collection[str],
    most: int,
    tried: Callable[[Any], frozenset[str] | None],
) -> Unseen:
    """Choose what travels because it may be needed.

    Parameters
    ----------
    provided : collection of str
        Names that the node has of its own.
    most : int
        Bytes, about, that they may come to; the largest stay here.
    tried : callable
        Gives the modules that a value's pickle names; None if it can't travel.
    """
    namespace = request.namespace
    wanted = _wanted(request, found, provided)
    for name, by in reached_names(wanted, namespace).items():
        wanted.setdefault(name, f"used by {by}")
    wanted = {n: why for n, why in wanted.items() if n not in needed and n not in provided}
    values = {name: LateModule(m.__name__) for name in wanted if is_a(m := namespace[name], types.ModuleType)}
    sizes = {name: 0 if name in values else estimate(namespace[name]) for name in wanted}
    large = _too_much(sizes, most)
    kept = {n for n in wanted if n not in large}
    kept -= {n for n in kept if large.keys() & (reached_names([n], namespace).keys() - set(needed))}
    asked = {n: namespace[n] for n in sorted(kept) if n not in values and not _is_simple(namespace[n])}
    trials = {name: tried(value) for name, value in asked.items()}
    stuck = {name for name, modules in trials.items() if modules is None}
    loads = {name: modules for name, modules in trials.items() if modules}
    order = sorted(kept - stuck, key=lambda name: (_foreign(loads.get(name)), name))
    names = {name: wanted[name] for name in order}
    lines = _line(found, names, sum(sizes[n] for n in names), large, stuck)
    return Unseen(
        names,
        {n: v for n, v in values.items() if n in names},
        frozenset(found.modules),
        lines,
        loads,
        tuple(needed),
    )


def _foreign(modules: Collection[str] | None) -> bool:
    """Whether a pickle needs what not every Python has: such names come last, since a node may fail at one."""
    known = sys.stdlib_module_names | {"__main__", ""}
    return any(module.partition(".")[0] not in known for module in modules or ())


def _wanted(request: Request, found: Hiding, provided: Collection[str]) -> dict[str, str]:
    namespace = request.namespace
    wanted: dict[str, str] = {}
    if found.everything:
        why = f"names hide behind {found.everything[0]}"
        wanted.update((name, why) for name in own_names(namespace, request.ipythons))
    if found.code:
        why = f"{found.code[0]} may need it"
        mine = (n for n in own_names(namespace, request.ipythons) if _is_own_code(namespace[n]))
        wanted.update((name, why) for name in mine if name not in wanted)
    for name in found.named(namespace):
        wanted.setdefault(name, "named in a text")
    for name in request.guesses:
        if name in namespace:
            wanted.setdefault(name, "may be used in a magic")
    return wanted


def own_names(namespace: Mapping[str, Any], ipythons: Mapping[str, Any]) -> list[str]:
    """Return the names that the user made, not IPython: what ``%who`` would list, and names that begin with ``_``."""
    nothing = object()
    return [
        name
        for name, value in list(namespace.items())
        if not name.startswith("__")
        and name not in _CELLS_OWN
        and not name.lstrip("_i").isdigit()
        and ipythons.get(name, nothing) is not value
        and not (name in _HISTORY and value is namespace.get(_HISTORY[name]))
    ]


def history(request: Request, names: Iterable[str], shared: Any) -> dict[str, Any]:
    """Return what is sent for IPython's ``Out``: the entries that the cell asks for, or all that can travel."""
    found: dict[str, Any] = {}
    for name in sorted({"Out", "_oh"}.intersection(names)):
        entries = request.namespace[name]
        if entries is not request.namespace.get("_oh") or not isinstance(entries, dict):
            continue  # the user's own
        asked = re.findall(rf"\b{name}\b(?:\[\s*(\d+)\s*\])?", request.code)
        chosen = {int(n) for n in asked} if asked and all(asked) else entries.keys()
        found[name] = {n: value for n, value in entries.items() if n in chosen and trial(value, shared) is not None}
    return found


def _is_own_code(value: Any) -> bool:
    return is_a(value, (type, types.FunctionType)) and module_of(value) == "__main__"


def _too_much(sizes: Mapping[str, int], most: int) -> dict[str, int]:
    """Return the largest names, without which the others are not too much together."""
    total, large = sum(sizes.values()), {}
    for name in sorted(sizes, key=lambda n: -sizes[n]):
        if total <= most:
            break
        large[name] = sizes[name]
        total -= sizes[name]
    return large


def _is_simple(value: Any) -> bool:
    return type(value) in (int, float, str, bool, bytes, complex, type(None))


def _line(
    found: Hiding, names: Collection[str], nbytes: int, large: Mapping[str, int], stuck: Collection[str]
) -> tuple[str, ...]:
    """Say in one line what was sent, and what was not."""
    parts = []
    if found.everything:
        count = f"{len(names)} more name{'s' if len(names) != 1 else ''}"
        parts.append(f"{found.everything[0]} hides names: {count} of the notebook travel{'s' * (len(names) == 1)}")
        parts[0] += f" ({format_size(nbytes)})" if nbytes >= 1 << 20 else ""
    if large:
        listed = ", ".join(f"{n} ({format_size(large[n])})" for n in list(large)[:_MOST_NAMED])
        rest = f" and {len(large) - _MOST_NAMED} more" if len(large) > _MOST_NAMED else ""
        parts.append(f"too large to send unasked: {listed}{rest}; `-i {','.join(list(large)[:_MOST_NAMED])}` sends it")
    if stuck and found.everything:
        shown = sorted(stuck)
        rest = f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else ""
        parts.append(f"can't travel: {', '.join(shown[:_MOST_NAMED])}{rest}")
    return ("; ".join(parts) + ".",) if parts else ()


def estimate(value: Any) -> int:
    """Return about how many bytes a value comes to, without pickling it."""
    total, looked, seen = 0.0, 0, set()
    pending: list[tuple[Any, float]] = [(value, 1.0)]
    while pending and looked < _MOST_LOOKED_AT:
        part, times = pending.pop()
        looked += 1
        if id(part) in seen or is_a(part, (type, types.FunctionType, types.ModuleType)):
            continue
        seen.add(id(part))
        known = _own_size(part)
        if known is not None:
            total += times * known
            continue
        total += times * (sys.getsizeof(part) if type(part).__module__ == "builtins" else _OBJECT)
        inside = _parts(part)
        sample = inside[:: 1 + len(inside) // _SAMPLE]
        pending += [(each, times * len(inside) / len(sample)) for each in sample]
    return int(total)


def _own_size(value: Any) -> int | None:
    """Return what arrays, tensors and tables say of themselves; nothing else is asked."""
    root = module_of(type(value)).partition(".")[0]
    try:
        if root == "pandas":
            usage = value.memory_usage(deep=False)
            return int(usage.sum() if hasattr(usage, "sum") else usage)
        size = value.nbytes if root in _ARRAYS else value.estimated_size() if root == "polars" else None
        return size if isinstance(size, int) else None
    except Exception:  # not everything in these packages has a size
        return None


def _parts(value: Any) -> list[Any]:
    if type(value) is dict:
        return [part for pair in list(value.items()) for part in pair]
    if type(value) in (list, tuple, set, frozenset):
        return list(value)
    return list((instance_dict(value) or {}).values())
