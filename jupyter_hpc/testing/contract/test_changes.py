"""What a cell changes in place is changed here too, in the same objects: a sent cell does what it would have done here."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import pytest

from jupyter_hpc.testing.notebook import Notebook


@dataclass(frozen=True)
class Change:
    """What is there, what the cell does to it, and what must be true afterwards; names are of one case only."""

    setup: str
    cell: str
    then: str

    def __post_init__(self) -> None:
        for name in ("setup", "cell", "then"):
            object.__setattr__(self, name, textwrap.dedent(getattr(self, name)).strip())


CALLS = {
    "an instance that is called": Change(
        """
        class Sum:
            def __init__(self): self.n = 0
            def __call__(self, x): self.n += x
        total = Sum(); total_too = [total]
        """,
        "total(3)",
        "total.n == 3 and total_too[0] is total and type(total) is Sum",
    ),
    "a list that a function appends to": Change(
        "seen = []; seen_too = seen\ndef note(x): seen.append(x)", "note(1)", "seen == [1] and seen_too is seen"
    ),
    "a class's registry": Change(
        "class Item:\n    all = []\n    def __init__(self): Item.all.append(self)\nknown = Item.all",
        "item = Item()",
        "known == [item] and Item.all is known and type(item) is Item",
    ),
    "a function's attribute": Change(
        "def counter():\n    counter.n = getattr(counter, 'n', 0) + 1\n    return counter.n\ncounter_too = counter",
        "counted = (counter(), counter())",
        "counted == (1, 2) and counter.n == 2 and counter_too is counter and counter() == 3",
    ),
    "a list in a closure": Change(
        "def made():\n    c = [0]\n    def up():\n        c[0] += 1\n        return c[0]\n    return up\nup = made()",
        "ups = (up(), up())",
        "ups == (1, 2) and up() == 3",
    ),
    "a variable that two closures share": Change(
        """
        def pair():
            n = 0
            def add():
                nonlocal n
                n += 1
            def look(): return n
            return add, look
        add, look = pair()
        """,
        "add()\nadd()",
        "look() == 2 and add() is None and look() == 3",
    ),
    "a default value": Change(
        "def keep(x, kept=[]):\n    kept.append(x)\n    return kept", "keep(1)", "keep(2) == [1, 2]"
    ),
    "a name that a function assigns": Change(
        "n = 0\ndef bump():\n    global n\n    n += 1", "bump()\nr = n", "(n, r) == (1, 1)"
    ),
    "a name that only a function assigns": Change(
        "m = 0\ndef rise():\n    global m\n    m += 1", "rise(); rise()", "m == 2"
    ),
    "a name that a function assigns at times": Change(
        """
        best = None
        def consider(x):
            global best
            if best is None or x > best: best = x
        """,
        "for x in (1, 5, 3): consider(x)",
        "(best, x) == (5, 3)",
    ),
    "a dict that a function fills in a loop": Change(
        "results = {}\ndef run(k): results[k] = k * k", "for k in range(3): run(k)", "results == {0: 0, 1: 1, 2: 4}"
    ),
    "a set, by map": Change("met = set()\ndef meet(x): met.add(x)", "list(map(meet, [1, 2]))", "met == {1, 2}"),
    "a deque, in a comprehension": Change(
        "import collections\nq = collections.deque([1, 2, 3])\ndef pop(): return q.popleft()",
        "popped = [pop() for _ in range(2)]",
        "popped == [1, 2] and list(q) == [3]",
    ),
}
PLAIN = {
    "an iterator": Change(
        "it = iter([1, 2, 3]); it_too = it", "for x in it: break", "x == 1 and list(it_too) == [2, 3]"
    ),
    "what a with enters": Change(
        """
        class Timer:
            n = 0
            def __enter__(self): self.n += 1
            def __exit__(self, *error): return False
        timer = Timer()
        """,
        "with timer: pass",
        "timer.n == 1",
    ),
    "a model and its optimizer": Change(
        """
        class Model:
            def __init__(self): self.w, self.g = [0.0], [0.0]
            def __call__(self, x): self.g[0] += x
        class Optimizer:
            def __init__(self, p): self.p = p
            def step(self): self.p[0][0] -= self.p[1][0]; self.p[1][0] = 0
        model = Model(); optimizer = Optimizer([model.w, model.g]); w = model.w
        """,
        "for i in range(3):\n    model(1.0)\n    optimizer.step()",
        "model.w == [-3.0] and optimizer.p[0] is model.w is w",
    ),
    "an array through its view": Change(
        "import numpy as np\narray = np.zeros(4); part = array[:2]",
        "part[:] = 1\ns = array.sum()",
        "s == 2.0 and array.sum() == 2.0 and part.base is array",
    ),
    "a list through its method": Change("ls = []\npush = ls.append", "push(1)", "ls == [1] and push.__self__ is ls"),
    "by an operator": Change(
        """
        class Log:
            def __init__(self): self.r = []
            def __lshift__(self, x): self.r.append(x); return self
            def __contains__(self, x): self.r.append(x); return True
        log = Log()
        """,
        "log << 3\nb = 4 in log",
        "b is True and log.r == [3, 4]",
    ),
    "by a property": Change(
        "class Lazy:\n    _v = None\n    @property\n    def v(self):\n        self._v = 5\n        return 5\nlazy = Lazy()",
        "v = lazy.v",
        "v == 5 and lazy._v == 5",
    ),
    "what two names lead to": Change(
        "inner = {'n': 0}\nouter = {'x': inner}",
        "inner['n'] = 5\nfound = outer['x']['n']",
        "found == 5 and outer['x'] is inner and inner == {'n': 5}",
    ),
    "an instance with slots": Change(
        "class Slotted:\n    __slots__ = ('x', 'y')\nslotted = Slotted(); slotted.x = 1",
        "slotted.y = [2]\ndel slotted.x",
        "slotted.y == [2] and not hasattr(slotted, 'x')",
    ),
    "a bytearray, and a name for what it was": Change(
        "data = bytearray(b'ab'); data_too = data", "data += b'c'", "data == b'abc' and data_too is data"
    ),
    "a class": Change(
        "class Config:\n    a = 1\n    b = 2\nconfig = Config()",
        "Config.a = 5\ndel Config.b\nConfig.twice = lambda self: self.a * 2",
        "config.twice() == 10 and not hasattr(config, 'b')",
    ),
    "a generator of random numbers": Change(
        "import random\ndice = random.Random(1); same = random.Random(1)",
        "first = dice.random()",
        "first == same.random() and dice.random() == same.random()",
    ),
    "a name that is deleted": Change("gone = 1; kept = [gone]", "del gone", "'gone' not in globals()"),
    "an old value that another name has": Change(
        "value = [1]; old = value", "value.append(2)\nvalue = []", "old == [1, 2] and value == []"
    ),
    "what a function does and is called": Change(
        "def one(): return 1\ndef two(): return 2\none_too = one",
        "one.__code__ = two.__code__\none.__doc__ = 'changed'\none.__name__ = 'named'",
        "(one_too(), one.__doc__, one.__name__) == (2, 'changed', 'named') and one_too is one",
    ),
    "the class of an instance": Change(
        "class Cold: pass\nclass Warm:\n    t = 20\nroom = Cold(); room_too = room",
        "room.__class__ = Warm\nroom.x = 1",
        "room_too is room and type(room) is Warm and (room.t, room.x) == (20, 1)",
    ),
    "the order of attributes": Change(
        "class Bag: pass\nbag = Bag(); bag.x = bag.y = 1", "del bag.x\nbag.x = 1", "list(vars(bag)) == ['y', 'x']"
    ),
    "what a defaultdict makes": Change(
        "import collections\ndd = collections.defaultdict(list)", "dd.default_factory = dict", "dd['k'] == {}"
    ),
    "an exception's arguments": Change(
        "err = ValueError('a'); err_too = err", "err.args = ('b', [1])", "err_too is err and err.args == ('b', [1])"
    ),
    "an array's shape, and that it may not be written": Change(
        "import numpy as np\ngrid = np.arange(4); grid_too = grid\nfixed = np.zeros(2); fixed_too = fixed",
        "grid.shape = (2, 2)\ngrid[0, 1] = 9\nfixed[0] = 1\nfixed.flags.writeable = False",
        "grid_too is grid and grid.tolist() == [[0, 9], [2, 3]] and fixed_too is fixed and fixed[0] == 1"
        " and not fixed.flags.writeable",
    ),
    "a list in itself": Change("ring = [1]; ring_too = ring", "ring.append(ring)", "ring_too is ring is ring[1]"),
}
ALL = {"in functions": CALLS, "by the cell": PLAIN}


@pytest.mark.parametrize("group", ALL)
def test_what_the_cell_changes_is_changed_here(notebook: Notebook, group: str) -> None:
    changes = ALL[group]
    notebook.run("\n".join(change.setup for change in changes.values()))
    notebook.remote("\n".join(change.cell for change in changes.values()))
    wrong = [f"{what}: {change.then}" for what, change in changes.items() if not notebook.value(f"bool({change.then})")]
    assert not wrong


def test_a_cell_that_only_deletes(notebook: Notebook) -> None:
    notebook.run("a = [1]; b = a\ndef f(): pass")
    notebook.remote("del a, f")
    assert notebook.value("('a' in globals(), 'f' in globals(), b)") == (False, False, [1])


def test_changes_before_an_error_stay(notebook: Notebook) -> None:
    notebook.run("a = [1]; b = a\nclass C: n = 0\ndef f():\n    global d\n    d = [a]")
    notebook.remote("a.append(2)\nC.n = 5\nf()\n1 / 0\na.append(3)", fails=True)
    assert notebook.value("(b, a is b, C.n, d[0] is a)") == ([1, 2], True, 5, True)


def test_o_chooses_among_names_and_keeps_what_they_share(notebook: Notebook) -> None:
    notebook.run("class Holder:\n    def __init__(self, p): self.p = p\nw = [0.0]; holder = Holder(w)")
    notebook.remote("holder.p[0] -= 1\ny = 2\nz = 3", "-o holder,y")
    assert notebook.value("(holder.p is w, w, y, 'z' in globals())") == (True, [-1.0], 2, False)


def test_changes_go_on_from_cell_to_cell_there_and_here(notebook: Notebook) -> None:
    notebook.run(
        "rows = []; first = rows\nclass C: known = []\ndef f(x, kept=[]):\n    kept.append(x)\n    return kept"
    )
    notebook.remote("rows.append(C()); C.known.append(rows[0]); f(1)")
    notebook.run("rows[0].x = [5]; f(2)")
    notebook.remote("rows[0].x.append(6); alias = rows[0].x; f(3)")
    notebook.run("alias.append(7)")
    assert notebook.value("(first is rows, C.known[0] is rows[0], rows[0].x, f(4))") == (
        True,
        True,
        [5, 6, 7],
        [1, 2, 3, 4],
    )
