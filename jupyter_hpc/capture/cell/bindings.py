"""The account of names at each point of a cell: surely bound, perhaps bound, read from outside."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from .names import MODULE_NAMES, Free, NameVisitor, Notes, mangle
from .surely import Certain


@dataclass
class State:
    """Names surely bound at a point, and whether that point can't be reached."""

    bound: set[str]
    dead: bool = False

    def without(self, names: set[str]) -> State:
        """Give this state after the names may have been deleted."""
        return State(self.bound - names, self.dead)


@dataclass
class Loop:
    names: set[str]  # bound somewhere in the loop
    depth: int
    breaks: list[State] = field(default_factory=list)


@dataclass
class ClassBody:
    name: str
    prefix: str  # keeps its names apart from the module's among the bound ones
    globals: set[str] = field(default_factory=set)


class Bindings(NameVisitor):
    """Keep account of the names that a cell reads and binds.

    Attributes
    ----------
    hard, soft : set of str
        Names that must come from outside, and those that perhaps must.
    later : set of str
        Those of `soft` that only code reads which runs later, if at all, and that nothing here binds.
    assigned : dict of str
        Names the cell binds, in order.
    deleted, touched : set
        Names deleted for good; names that may change in place (see `Free.touches`).
    """

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self.state = State(set())
        self.hard: set[str] = set()
        self.soft: set[str] = set()
        self.later: set[str] = set()
        self.assigned: dict[str, None] = {}
        self.deleted: set[str] = set()
        self.touched: set[tuple[str, str]] = set()
        self.depth = 0  # of branches that may not run
        self.trying = 0  # how many enclosing blocks catch exceptions
        self._later: list[Free] = []
        self._functions: dict[str, Free] = {}
        self._certain: dict[str, tuple[Certain, Free]] = {}  # functions by the name that surely has them
        self._known_classes: dict[str, list[Free]] = {}
        self._possible: set[str] = set()  # bound by now on some paths
        self._loops: list[Loop] = []
        self._consumed: set[ast.expr] = set()  # generators that are run through where they stand
        self._kills: list[set[str]] = []
        self._classes: list[ClassBody] = []
        self._params: list[set[str]] = []

    def finish(self) -> None:
        """Judge what runs later by what is bound now; a name that is missing may be made until then."""
        for free in self._later:
            missing = (free.reads | free.guarded) - self.state.bound - MODULE_NAMES
            self.soft |= missing
            if not self.notes.opaque:
                self.later |= missing & free.reads - self._possible

    @property
    def _class_name(self) -> str:
        return self._classes[-1].name if self._classes else ""

    def _key(self, name: str) -> str:
        if self._classes and name not in self._classes[-1].globals:
            return self._classes[-1].prefix + name
        return name

    def _read(self, name: str, guarded: bool, class_visible: bool = True) -> None:
        perhaps = (
            guarded
            or self.notes.opaque
            or name in self._possible
            or (class_visible and self._key(name) in self._possible)
            or any(name in loop.names and self.depth > loop.depth for loop in self._loops)
        )
        (self.soft if perhaps else self.hard).add(name)

    def use(self, name: str) -> None:
        self._use(mangle(name, self._class_name))

    def _use(self, name: str, class_visible: bool = True) -> None:
        bound = self.state.bound
        if self.state.dead or name in MODULE_NAMES or any(name in p for p in self._params):
            return
        if class_visible and self._classes and self._key(name) in bound:
            return
        if name in self._functions:
            self._soon(self._functions[name])
        if name not in bound:
            self._read(name, self.guard > 0, class_visible)
            bound.add(name)  # it exists, or this point would have been the end

    def _soon(self, free: Free, seen: frozenset[str] = frozenset()) -> None:
        """Code that the cell may call right now reads its names right now."""
        if self.state.dead:
            return
        for name in (free.reads | free.guarded) - seen - MODULE_NAMES:
            if name not in self.state.bound:
                self.soft.add(name)
            elif name in self._functions:
                self._soon(self._functions[name], seen | {name})

    def _called(self, name: str, seen: frozenset[str] = frozenset()) -> None:
        """A function that is surely called now surely reads its names now."""
        surely = not (self.depth or self._loops or self.trying or self.guard or self._classes)
        if name not in self._certain or name in seen or not surely or self.state.dead:
            return
        certain, free = self._certain[name]
        for each in certain.reads:
            if each in free.reads and each not in self.state.bound | MODULE_NAMES:
                self._read(each, False)
        for each in certain.calls:
            if each in free.reads and each in self.state.bound:
                self._called(each, seen | {name})

    def bind(self, name: str) -> None:
        name = mangle(name, self._class_name)
        key = self._key(name)
        self._certain.pop(key, None)
        if not self.state.dead:
            self.state.bound.add(key)
        self._possible.add(key)
        if key == name:
            self._assign(name)

    def _assign(self, name: str) -> None:
        self.assigned[name] = None
        self.deleted.discard(name)

    def unbind(self, name: str) -> None:
        key = self._forget(name)
        if not key.startswith("."):
            self.deleted.add(key)

    def _forget(self, name: str) -> str:
        key = self._key(mangle(name, self._class_name))
        self.state.bound.discard(key)
        for kills in self._kills:
            kills.add(key)
        return key

    def touch(self, name: str, via: str = "") -> None:
        name = mangle(name, self._class_name)
        if not (self._classes and self._key(name) in self.state.bound):
            self.touched.add((name, via))
