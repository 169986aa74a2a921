"""What magics inside a cell hide from static analysis: ``%%time`` bodies, ``%time x = 1``, ``!echo {name}``."""

from __future__ import annotations

import ast
import re
import types
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_WHOLE = re.compile(r"^(\s*)%%(time|capture|prun|debug)\b.*$")
_RUNS_BODY = re.compile(r"^\s*%%(time|timeit|capture|prun|debug|memit)\b")
_LINE = re.compile(r"^(\s*)%(time|prun)\s+(.*)$")
_TAKES_ARGUMENT = {  # magics whose line ends with code: their short options that are followed by a value
    "time": "",
    "timeit": "nrtcp",
    "prun": "DlsT",
    "memit": "rt",
    "lprun": "fmDTsu",
    "mprun": "fT",
    "pinfo": "",
    "pinfo2": "",
    "psource": "",
    "pdef": "",
    "pdoc": "",
    "pfile": "",
    "debug": "b",
}
_WITH_BODY = {"time", "timeit", "prun", "capture", "debug", "memit"}
_SEES_ALL = {"who", "whos", "who_ls", "psearch", "store", "macro", "pdb", "debug"}
_OTHER_LANGUAGES = {
    *("bash", "sh", "script", "html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG"),
    *("writefile", "file", "perl", "ruby", "python", "python2", "python3", "pypy", "system", "sx", "!", "cmd"),
}
_CALLS = {"run_line_magic", "run_cell_magic", "system", "getoutput"}


@dataclass
class Inside:
    """What the magics and shell lines of a cell need.

    Attributes
    ----------
    hints, guesses : set of str
        Names that are read, and words that may be names.
    sees_all : list of str
        Magics that see the whole namespace.
    codes : list
        What they run, compiled.
    magics : set of (str, str)
        Kind, ``"line"`` or ``"cell"``, and name of each magic.
    """

    hints: set[str] = field(default_factory=set)
    guesses: set[str] = field(default_factory=set)
    sees_all: list[str] = field(default_factory=list)
    codes: list[types.CodeType] = field(default_factory=list)
    magics: set[tuple[str, str]] = field(default_factory=set)


def exposed(cell: str) -> str:
    """Return the cell with the statements that timing magics wrap laid open, line by line, for analysis only."""
    lines = cell.split("\n")
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        match = _WHOLE.match(line)
        if match is None:
            break
        lines[i] = f"{match[1]}#"  # a blank one would go, and with it the numbers of the lines below
    return "\n".join(_LINE.sub(lambda m: m[1] + without_options(m[2], m[3]), line) for line in lines)


def in_place(cell: str, above: int) -> str:
    """Return the cell with as many comments where a magic's own body begins as there are lines above that.

    What the magic runs then has the numbers of the notebook's lines.
    """
    lines = cell.split("\n")
    start = next((i for i, line in enumerate(lines) if line.strip() and not _RUNS_BODY.match(line)), 0)
    if not any(line.strip() for line in lines[:start]):
        return cell
    return "\n".join([*lines[:start], *["#"] * (above + start), *lines[start:]])


def without_options(magic: str, text: str) -> str:
    """Return the code at the end of a magic's line."""
    takes = _TAKES_ARGUMENT.get(magic, "")
    while match := re.match(r"\s*(--\S+|-[A-Za-z]\S*)\s*", text):
        text = text[match.end() :]
        option = match[1]
        if not option.startswith("--") and len(option) == 2 and option[1] in takes:
            text = re.sub(r"^\S+\s*", "", text)
    return text


def inside(code: str, transform: Callable[[str], str]) -> Inside:
    """Return what the magics of a cell need.

    Parameters
    ----------
    code : str
        The cell after IPython's transformation.
    transform : callable
        That transformation, for the cells that cell magics hold.
    """
    found = Inside()
    _look(code, transform, found)
    return found


def _look(code: str, transform: Callable[[str], str], found: Inside, depth: int = 0) -> None:
    for call, arguments in _calls(code):
        text = arguments[1] if "magic" in call and len(arguments) > 1 else arguments[0]
        found.hints |= _expanded(text)
        if call == "run_line_magic" and len(arguments) > 1:
            _line_magic(arguments[0], arguments[1], found)
        elif call == "run_cell_magic" and len(arguments) > 2 and depth < 5:
            name, line, body = arguments[:3]
            found.magics.add(("cell", name))
            if name in _WITH_BODY:
                _python(without_options(name, line) if name in ("timeit", "memit") else "", found)
                inner = transform(body)
                _python(inner, found)
                _look(inner, transform, found, depth + 1)
            elif name not in _OTHER_LANGUAGES:
                found.guesses |= _words(line) | _words(body)


def _calls(code: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each call of IPython's shell that a magic or shell line became, with the texts that it is given."""
    tree = _parsed(code)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS:
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if texts and len(texts) == len(node.args):
                yield node.func.attr, texts


def _line_magic(name: str, text: str, found: Inside) -> None:
    found.magics.add(("line", name))
    if name in _SEES_ALL:
        found.sees_all.append(f"%{name}")
    elif name == "run":
        _script(text, found)
    elif name in _TAKES_ARGUMENT:
        _python(without_options(name, text), found)
        found.guesses |= _words(text)
    else:
        found.guesses |= _words(text)


def _script(text: str, found: Inside) -> None:
    """With ``-i`` a script reads the notebook's names."""
    words = text.split()
    options = [w for w in words if w.startswith("-")]
    path = next((w.strip("'\"") for w in words if not w.startswith("-")), "")
    if not any("i" in option for option in options if not option.startswith("--")):
        return
    try:
        source = Path(path if path.endswith((".py", ".ipy")) else f"{path}.py").expanduser().read_text("utf-8")
    except (OSError, ValueError):
        found.sees_all.append("%run -i")  # it may be on the node, or made by the cell
        return
    _python(source, found)


def _python(text: str, found: Inside) -> None:
    """Take the names of a piece of Python; of what can't be parsed, its words."""
    tree = _parsed(text.strip())
    if tree is None:
        found.guesses |= _words(text)
        return
    found.hints |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    try:
        found.codes.append(compile(tree, "<magic>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True))
    except (SyntaxError, ValueError):  # it will be said where it runs
        return


def _parsed(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError):
            return None


def _expanded(text: str) -> set[str]:
    """Return the names in ``{…}`` and ``$name``."""
    found = set(re.findall(r"\$(\w+)", text))
    return found.union(*(_names(each) for each in re.findall(r"\{([^{}]+)\}", text)))


def _names(text: str) -> Iterable[str]:
    tree = _parsed(text.strip())
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree is not None else set()


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w*", text))
