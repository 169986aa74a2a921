"""Constants of a cell's code that have a name, and which of them their author would call parameters.

``lr = 0.01`` is one, so is ``fit(lr=0.01)`` or ``Adam(weights, lr=0.01)``. What says how something is printed, read or
drawn is none, ``print(x, flush=True)``, ``pd.read_csv(path, sep=";")``, ``ax.plot(x, label="a")``, nor is a sum that
begins at 0. Where a call leads is told by what the cell imports and makes, by the types of what it was sent, and
by the names that everybody gives (``np``, ``plt``, ``df``).
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LONGEST = 200  # characters of what is shown
ASSIGNED = "assigned"

_SETTINGS = {"dict", "SimpleNamespace", "Namespace", "partial"}  # of these libraries, what only holds what it is given
_SEEDS = {"seed", "random_state", "random_seed"}  # count wherever they are given
_FITS = {"fit", "fit_transform", "train", "compile"}
# libraries that read, draw, show and count: their keywords say how
_HELPERS = sys.stdlib_module_names | {
    *("builtins", "IPython", "ipywidgets", "jupyter_hpc", "numpy", "pandas", "polars", "pyarrow", "dask", "xarray"),
    *("h5py", "zarr", "matplotlib", "seaborn", "plotly", "altair", "bokeh", "holoviews", "PIL", "cv2", "imageio"),
    *("tqdm", "rich", "requests", "httpx", "joblib", "numba", "pytest", "yaml", "click", "wandb", "mlflow"),
    *("tensorboard"),
}
_ARRAYS = {"torch", "tensorflow", "jax", "cupy", "torchvision", "torchaudio"}  # of which only what is made counts
_EVERYBODYS = {
    "np": "numpy",
    **dict.fromkeys(("pd", "df"), "pandas"),
    **dict.fromkeys(("plt", "mpl", "ax", "axs", "axes", "fig"), "matplotlib"),
    **dict.fromkeys(("px", "go"), "plotly"),
    **dict.fromkeys(("nn", "F", "optim"), "torch"),
    **dict.fromkeys(("display", "get_ipython", "clear_output"), "IPython"),
    **dict.fromkeys(("tqdm", "trange"), "tqdm"),
    **dict.fromkeys(("Path", "subprocess", "os"), "os"),
    "sns": "seaborn",
    "alt": "altair",
    "hv": "holoviews",
    "pl": "polars",
    "xr": "xarray",
    "da": "dask",
    "dd": "dask",
    "tf": "tensorflow",
    "jnp": "jax",
    "partial": "functools",
    "SimpleNamespace": "types",
}
_KNOWN = {**dict.fromkeys(dir(builtins), "builtins"), **_EVERYBODYS}
# keywords that say how, in any call but one of the author's own functions
_HOW = {
    *("flush", "end", "sep", "file", "encoding", "errors", "mode", "label", "title", "color", "c", "cmap", "figsize"),
    *("dpi", "desc", "leave", "total", "verbose", "axis", "dim", "keepdim", "keepdims", "dtype", "device", "out"),
    *("copy", "inplace", "index", "header", "columns", "key", "reverse", "default", "name", "non_blocking"),
    *("retain_graph", "requires_grad", "pin_memory", "num_workers", "n_jobs", "daemon", "exist_ok", "check"),
    *("capture_output", "shell", "cwd"),
}


@dataclass(frozen=True)
class Constant:
    """A literal in the code under a name.

    Attributes
    ----------
    where : str
        ``assigned``, or of which call it is a keyword.
    is_parameter : bool
        Whether its author would say that the run had it as a parameter.
    """

    name: str
    node: ast.expr
    text: str
    where: str
    is_parameter: bool


def constants(code: str, types: Mapping[str, str] | None = None) -> list[Constant]:
    """Return the constants of some code, those that are assigned first; none of what is no Python.

    Parameters
    ----------
    types : mapping, optional
        The types of names that it was sent, as ``pandas.core.frame.DataFrame``.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return []
    return [*_assigned(tree), *_keywords(tree, types or {})]


def is_constant(node: ast.expr) -> bool:
    """Whether it is written out: a literal, also a list or tuple of literals."""
    if isinstance(node, (ast.Call, ast.Name, ast.Attribute, ast.Subscript)):  # most others, at once
        return False
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return len(written(node)) <= LONGEST


def written(node: ast.expr) -> str:
    """Return an expression as Python writes it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str)) and node.value != float("inf"):
        return repr(node.value)  # a hundred times as fast
    return ast.unparse(node)


# -- what is assigned --------------------------------------------------------------------------------


def _assigned(tree: ast.Module) -> Iterator[Constant]:
    varying = {name for node in _outside_functions(tree) for name in _bound_anew(node)}
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name) and is_constant(statement.value):
                name, value = targets[0].id, statement.value
                counts = name not in varying and not name.startswith("_") and _says_something(value)
                yield Constant(name, value, written(value), ASSIGNED, counts)


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what is run with the cell's own names; of a function what it says is global."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(isinstance(each, ast.Global) for each in ast.walk(node)):
                yield from ast.walk(node)
        elif not isinstance(node, (ast.Lambda, ast.ClassDef)):
            yield node
            yield from _outside_functions(node)


def _bound_anew(node: ast.AST) -> Iterator[str]:
    """Yield names that get what isn't written out: sums, counters, what a loop goes over. ``lr *= 0.9`` only decays."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.AugAssign):
        decays = isinstance(node.op, (ast.Mult, ast.Div, ast.Pow)) and is_constant(node.value)
        targets = [] if decays else [node.target]
    elif isinstance(node, ast.Assign):
        targets = [] if is_constant(node.value) else node.targets
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.NamedExpr)):
        targets = [node.target]
    for target in targets:
        yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def _says_something(value: ast.expr) -> bool:
    """An empty list is filled by what follows; a text of several lines is a document."""
    found = ast.literal_eval(value)
    return found not in ([], {}, ()) and not (isinstance(found, str) and "\n" in found)


# -- keywords of calls -------------------------------------------------------------------------------


def _keywords(tree: ast.Module, types: Mapping[str, str]) -> Iterator[Constant]:
    libraries = _Libraries(tree, types)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg and is_constant(keyword.value):
                    where = f"of {ast.unparse(node.func)[:40]}"
                    counts = libraries.gives_parameter(node.func, keyword.arg)
                    yield Constant(keyword.arg, keyword.value, written(keyword.value), where, counts)


class _Libraries:
    """Tells of which library a name of the cell is; of none, if it is the author's."""

    def __init__(self, tree: ast.Module, types: Mapping[str, str]) -> None:
        self._of = dict(_KNOWN)
        for name, kind in types.items():
            top = kind.partition(".")[0]
            if kind == "builtins.module":
                self._of.setdefault(name, name)
            elif kind not in ("builtins.type", "builtins.function"):  # which says not whose they are
                self._of[name] = "" if top == "__main__" else top
        for node in sorted(ast.walk(tree), key=lambda node: getattr(node, "lineno", 0)):
            self._take(node)

    def gives_parameter(self, called: ast.expr, keyword: str) -> bool:
        """Whether a keyword of a call is a parameter of the run."""
        library, last = self._library(called), _last(called)
        if library in _HELPERS:
            return last in _SETTINGS or keyword in _SEEDS
        if isinstance(called, ast.Name) and not library:
            return True
        if library in _ARRAYS and not (last[:1].isupper() or last in _FITS):
            return keyword in _SEEDS
        return keyword not in _HOW

    def _take(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._of[alias.asname or alias.name.partition(".")[0]] = alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            top = (node.module or "").partition(".")[0]
            self._of.update({alias.asname or alias.name: top for alias in node.names})
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._of[node.name] = ""
        elif isinstance(node, ast.Assign):
            self._bind(node.targets, node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._bind([node.target], node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind([node.optional_vars], node.context_expr)

    def _bind(self, targets: list[ast.expr], value: ast.expr) -> None:
        """What a library's function returns is that library's."""
        library = self._library(value)
        for target in targets:
            for each in ast.walk(target):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    self._of[each.id] = library

    def _library(self, node: ast.expr) -> str:
        while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript, ast.Await)):
            node = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Name):
            return self._of.get(node.id, "")
        return "builtins" if is_constant(node) or isinstance(node, ast.JoinedStr) else ""


def _last(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
